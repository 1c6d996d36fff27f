#!/usr/bin/env python3
"""A log of production traffic, one LLM for each prompt, through all programs in a row as a new user would run them.

    pip install -r scripts/requirements-bench.txt
    scripts/long/logs.py [--rows N] [--log POLICY] [--no-propensities] [--missing SHARE] [--tokens N] [--embedder DIR] [--quiet]

gen-synthetic makes the log, whose truth is known. gen-custom reads it as a long table, a row for each call; then `train-and-infer`,
`carrot-router worth`, `calibrate` and `route` run on it. Every command, its output and its time are printed, to be read. Checked is that each program
ends with an exit code that its help lists, that the numbers stand beside what they assume, and that what route's choices truly cost and score on
other prompts of the same kind is within the promised intervals.

Exits 1 if a check fails.

  --rows N            prompts of the log [default: 2000]
  --log POLICY        uniform, skewed or deterministic [default: skewed]
  --no-propensities   the log does not say how likely each LLM was
  --missing SHARE     scores that nobody gave [default: 0.1]
  --tokens N          of a system prompt that LLMs bill and prompts do not show [default: 1500]
  --embedder DIR      [default: models/all-MiniLM-L6-v2]
  --quiet             prints no output of the programs
"""

import argparse
import json
import sys
import time
from pathlib import Path

try:
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq
except ImportError as error:
    sys.exit(f"logs: {error}; pip install -r scripts/requirements-bench.txt")

from bench import EMBEDDER, ROOT, Bench, build
from system_prompts import number, prices, table

N_NEW = 1000
FIELDS = ("score", "input_tokens", "output_tokens", "propensity")


def long_table(wide, models):
    """A row for each call, as logs have it."""
    rows = []
    columns = {name: wide[name].to_pylist() for name in wide.column_names}
    for row in range(wide.num_rows):
        for model in models:
            if columns[f"{model}/output_tokens"][row] is None:
                continue
            values = {field: columns.get(f"{model}/{field}", [None] * wide.num_rows)[row] for field in FIELDS}
            rows.append({"request": columns["id"][row], "text": columns["prompt"][row], "llm": model, **values})
    return pa.Table.from_pylist(rows)


class Session:
    """Runs programs one after the other, and says how long each took."""

    def __init__(self, bench, quiet):
        self.bench, self.quiet, self.faults = bench, quiet, []

    def run(self, program, *args, codes=(0,)):
        start = time.monotonic()
        code, output, errors = self.bench.run(program, *args)
        seconds = time.monotonic() - start
        print(f"$ {program} {' '.join(args)}    # {seconds:.1f} s, exit code {code}", flush=True)
        if not self.quiet:
            print(errors + output, flush=True)
        if code not in codes:
            self.faults.append(f"{program} {args[0]}: exit code {code}: {errors.strip().splitlines()[-1:]}")
        return code, output, errors

    def expect(self, what, is_so):
        print(f"{'ok' if is_so else 'FAULT'}: {what}", flush=True)
        if not is_so:
            self.faults.append(what)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=2000)
    parser.add_argument("--log", default="skewed", choices=["uniform", "skewed", "deterministic"])
    parser.add_argument("--no-propensities", action="store_true")
    parser.add_argument("--missing", default="0.1")
    parser.add_argument("--tokens", default="1500")
    parser.add_argument("--embedder", type=Path, default=ROOT / "models" / EMBEDDER)
    parser.add_argument("--quiet", action="store_true")
    options = parser.parse_args()
    build("gen-synthetic", "gen-custom", "train-and-infer", "carrot-router")
    bench = Bench()
    session = Session(bench, options.quiet)

    n = options.rows + N_NEW
    common = ["-q", "--n", str(n), "--seed", "5", "--system-prompt-tokens", options.tokens]
    log = ["--log", options.log, "--missing", options.missing, "--no-propensities"]
    bench.succeed("gen-synthetic", *common, "--name", "whole")
    bench.succeed("gen-synthetic", *common, "--name", "logged", *(log if options.no_propensities else log[:-1]))
    whole, logged = table(bench, "whole"), table(bench, "logged")
    models = [name.removesuffix("/score") for name in whole.column_names if name.endswith("/score")]
    calls = long_table(logged.filter(pc.less(number(logged), options.rows)), models)
    if options.no_propensities:
        calls = calls.drop_columns(["propensity"])
    pq.write_table(calls, bench.folder / "log.parquet")
    new = whole.filter(pc.greater_equal(number(whole), options.rows))
    lines = (json.dumps({"prompt": prompt}) for prompt in new["prompt"].to_pylist())
    (bench.folder / "new.jsonl").write_text("\n".join(lines))
    expected = expectations(bench, new)

    roles = "id=request,prompt=text,model=llm,score=score,input_tokens=input_tokens,output_tokens=output_tokens"
    roles += "" if options.no_propensities else ",propensity=propensity"
    session.run("gen-custom", "--input", "log.parquet", *prices(bench), "--name", "my-log", "--long", roles)
    embedder = str(options.embedder.resolve())
    session.run("train-and-infer", "--dataset", "my-log", "--embedding", embedder)
    # 0 worth it, 3 not worth it, 4 cannot tell
    code, worth, _ = session.run("carrot-router", "worth", "--dataset", "my-log", "--embedding", embedder, codes=(0, 3, 4))
    budget = 1000 * (min(expected["mean-cost"]) * max(expected["mean-cost"])) ** 0.5
    args = ["--dataset", "my-log", "--router", "carrot-blend", "--usd-per-1k", f"{budget:.4f}", "--name", "budget"]
    refusable = (0, 1) if options.log == "deterministic" else (0,)
    code, _, _ = session.run("carrot-router", "calibrate", *args, "--new-prompts", str(N_NEW), codes=refusable)
    if code == 0:
        model = "models/my-log/carrot-blend"
        calibration = json.loads((bench.folder / model / "calibrations" / "budget.json").read_text())
        _, output, _ = session.run("carrot-router", "route", "--model", model, "--calibration", "budget", "--input", "new.jsonl", "--json", "-q")
        chosen = [json.loads(line)["selected"] for line in output.splitlines()]
        check(session, calibration, chosen, expected)
    bench.remove()
    for fault in session.faults:
        print(f"FAULT: {fault}")
    return 1 if session.faults else 0


def expectations(bench, new):
    """The true expected score and cost of each LLM on each new prompt, in their order."""
    parts = [pq.read_table(bench.folder / "data" / "whole" / "truth" / f"{part}.parquet") for part in ("train", "test")]
    truth = pa.concat_tables(part.replace_schema_metadata(None) for part in parts)
    rows = {id_: row for row, id_ in enumerate(truth["id"].to_pylist())}
    order = [rows[id_] for id_ in new["id"].to_pylist()]
    columns = {name: truth[name].take(pa.array(order)).to_pylist() for name in truth.column_names if name != "id"}
    costs = [values for name, values in columns.items() if name.endswith("/cost_usd")]
    return columns | {"mean-cost": [sum(values) / len(values) for values in costs]}


def check(session, calibration, chosen, expected):
    """What the choices are truly worth, beside what was promised."""
    mean = lambda field: sum(expected[f"{model}/{field}"][row] for row, model in enumerate(chosen)) / len(chosen)
    promised = calibration["expected"]
    for what, real, range_ in [
        ("cost per 1,000", 1000 * mean("cost_usd"), promised["usd-per-1k"]),
        ("accuracy", mean("score"), promised["accuracy"]),
    ]:
        text = f"true {what} {real:.4f}, promised {range_['estimate']:.4f} [{range_['low']:.4f}, {range_['high']:.4f}]"
        session.expect(text, range_["low"] <= real <= range_["high"])


if __name__ == "__main__":
    sys.exit(main())
