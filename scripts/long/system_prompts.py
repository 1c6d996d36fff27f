#!/usr/bin/env python3
"""Whether the cost that a calibration promises holds where LLMs bill a system prompt that no prompt's text shows.

    pip install -r scripts/requirements-bench.txt
    scripts/long/system_prompts.py [--runs N] [--rows N] [--new N] [--tokens N] [--log POLICY] [--embedder DIR]

A run is a seed: a synthetic table whose LLMs bill `--tokens` tokens more than a prompt's text has goes through gen-custom, train-and-infer and
`carrot-router calibrate` to a budget halfway between the cheapest and the dearest LLM; then `carrot-router route` gets the texts of other prompts
of the same kind, and nothing else. Their cost is what the chosen LLMs truly billed, drawn here from the table that route never saw. Told is how
often it is within the promised interval, with the mean and the extremes of cost over promise; and, of the first 5 runs, whether route refuses
at the same calibration a router that does not know what was billed.

Exits 1 if fewer than 90 of 100 are inside, or one of the 5 is not refused.

  --runs N        [default: 100]
  --rows N        prompts of the table [default: 1200]
  --new N         prompts that are routed [default: 600]
  --tokens N      of the system prompt [default: 1500]
  --log POLICY    the table is a log with one LLM for each prompt: uniform or skewed [default: every LLM was asked]
  --embedder DIR  [default: the tiny one of the tests, since only costs are judged here]
"""

import argparse
import json
import sys
from pathlib import Path

try:
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq
except ImportError as error:
    sys.exit(f"system_prompts: {error}; pip install -r scripts/requirements-bench.txt")

from bench import ROOT, Bench, build

TINY = ROOT / "crates" / "encoder" / "tests" / "golden" / "tiny-bert"
N_REFUSED = 5
BAR = 0.9


def table(bench, name):
    parts = [pq.read_table(bench.folder / "data" / name / f"{part}.parquet") for part in ("train", "test")]
    return pa.concat_tables(part.replace_schema_metadata(None) for part in parts)


def number(table):
    """The number of each row, which is in its id."""
    return pc.cast(pc.list_element(pc.split_pattern(table["id"], "/"), 1), pa.int64())


def prepare(bench, options, seed):
    """Writes `logs.parquet`, without dollars, and `new.jsonl`. Gives a budget and the new prompts' whole table."""
    n = options.rows + options.new
    common = ["-q", "--n", str(n), "--seed", str(seed), "--system-prompt-tokens", str(options.tokens)]
    bench.succeed("gen-synthetic", *common, "--name", "whole")
    whole = table(bench, "whole")
    logged = whole
    if options.log:
        bench.succeed("gen-synthetic", *common, "--name", "logged", "--log", options.log)
        logged = table(bench, "logged")
    logged = logged.filter(pc.less(number(logged), options.rows))
    dollars = [name for name in logged.column_names if name.endswith("/cost_usd")]
    means = [pc.mean(logged[name]).as_py() for name in dollars]
    # Dollars would be learned as they are, with the system prompt in them; tokens are what a price list is applied to.
    pq.write_table(logged.drop_columns(dollars), bench.folder / "logs.parquet")
    new = whole.filter(pc.greater_equal(number(whole), options.rows))
    lines = (json.dumps({"prompt": prompt}) for prompt in new["prompt"].to_pylist())
    (bench.folder / "new.jsonl").write_text("\n".join(lines))
    return 1000 * (min(means) * max(means)) ** 0.5, new


def calibrate(bench, usd, n_new):
    report = bench.succeed(
        "carrot-router", "calibrate", "--dataset", "logs", "--router", "carrot-knn", "--usd-per-1k", f"{usd:.6f}",
        "--name", "budget", "--force", "--new-prompts", str(n_new), "--json", "-q",
    )  # fmt: skip
    return json.loads(report)["calibration"]["expected"]["usd-per-1k"]


def route(bench):
    return bench.run(
        "carrot-router", "route", "--model", "models/logs/carrot-knn", "--calibration", "budget", "--input", "new.jsonl", "--json", "-q",
    )  # fmt: skip


def run(options, seed):
    """(promised, real, whether it was refused without the lines)"""
    bench = Bench()
    usd, new = prepare(bench, options, seed)
    bench.succeed("gen-custom", "-q", "--input", "logs.parquet", "--name", "logs", "--test-size", "0.4", *prices(bench))
    bench.succeed("train-and-infer", "-q", "--dataset", "logs", "--routers", "carrot-knn", "--embedding", str(options.embedder))
    promised = calibrate(bench, usd, options.new)
    code, output, errors = route(bench)
    if code != 0:
        sys.exit(f"seed {seed}: {errors}")
    chosen = [json.loads(line)["selected"] for line in output.splitlines()]
    costs = {name: new[f"{name}/cost_usd"].to_pylist() for name in set(chosen)}
    real = 1000 * sum(costs[name][row] for row, name in enumerate(chosen)) / len(chosen)
    refused = None
    if seed < N_REFUSED:
        record = bench.folder / "models" / "logs" / "carrot-knn" / "router.json"
        content = json.loads(record.read_text())
        del content["token-lines"]
        record.write_text(json.dumps(content))
        calibrate(bench, usd, options.new)
        code, _, errors = route(bench)
        refused = code == 1 and "input tokens on average" in errors
    bench.remove()
    return promised, real, refused


def prices(bench):
    """The flags with the LLMs' prices, as dataset.json has them."""
    models = json.loads((bench.folder / "data" / "whole" / "dataset.json").read_text())["models"]
    lines = []
    for model in models:
        price = model["price"]
        lines += [f'[models."{model["name"]}"]', f"input_usd_per_mtok = {price['input_usd_per_mtok']}"]
        lines += [f"output_usd_per_mtok = {price['output_usd_per_mtok']}"]
    (bench.folder / "prices.toml").write_text("\n".join(lines))
    return "--prices", "prices.toml"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=100)
    parser.add_argument("--rows", type=int, default=1200)
    parser.add_argument("--new", type=int, default=600)
    parser.add_argument("--tokens", type=int, default=1500)
    parser.add_argument("--log", choices=["uniform", "skewed"])
    parser.add_argument("--embedder", type=Path, default=TINY)
    options = parser.parse_args()
    options.embedder = options.embedder.resolve()
    build("gen-synthetic", "gen-custom", "train-and-infer", "carrot-router")
    n_inside, ratios, n_refused = 0, [], 0
    for seed in range(options.runs):
        promised, real, refused = run(options, seed)
        inside = promised["low"] <= real <= promised["high"]
        n_inside += inside
        n_refused += bool(refused)
        ratios.append(real / promised["estimate"])
        print(
            f"seed {seed}: promised ${promised['estimate']:.3f} [{promised['low']:.3f}, {promised['high']:.3f}] per 1,000, "
            f"real ${real:.3f}{'' if inside else '  outside'}",
            flush=True,
        )
    n_without = min(N_REFUSED, options.runs)
    print(
        f"real costs within the promised interval: {n_inside} of {options.runs}; real over promised {sum(ratios) / len(ratios):.3f} on average, "
        f"{min(ratios):.3f} to {max(ratios):.3f}"
    )
    print(f"refused without knowing what was billed: {n_refused} of {n_without}")
    return 0 if n_inside >= BAR * options.runs and n_refused == n_without else 1


if __name__ == "__main__":
    sys.exit(main())
