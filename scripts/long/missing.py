#!/usr/bin/env python3
"""`carrot-router worth` on tables with holes, and on logs: whether the gain that it estimates is the one of the complete table.

    pip install -r scripts/requirements-bench.txt
    scripts/long/missing.py [--tables N] [--rows N] [--router R] [HOLES]... [coins]

HOLES say which scores are known:

  30%     three tenths are missing, at random
  60%     six tenths are missing, at random
  uneven  missing at random, at a rate of its own for each LLM, from a tenth to nine tenths

and of logs, in which each prompt has the answer of one LLM, on four times as many rows:

  log        the LLM is drawn at random, each as likely
  skewed     drawn by a policy that goes by the prompt, and asks an LLM more often where it is good; the log records the probability
  estimated  drawn by the same policy; the log records nothing, and `worth` estimates the probability from the embeddings

  coins      logs by that policy, recorded and estimated, of tables whose scores do not depend on the prompt: exit code 0, "worth it", on at most 6 of
             100 each

Each of N tables is drawn here with a seed: `--rows` prompts with embeddings of 6 numbers, and 6 LLMs, of which routing gains much. It goes through
gen-custom, `train-and-infer --cross-fit` and `carrot-router worth`. Then, of each kind of holes,

  judged  the same out-of-fold predictions are judged by what is left of the table: the estimator alone
  fitted  the whole row again on what is left: a router that was fitted on less, and may truly gain less

On at least 90 of 100 tables the gain estimated from a table with holes lies within two of its own standard errors of the complete table's. That is a bar
for `judged`; of `fitted` it is told, with the true gain of those routers, which is computed here from the expected scores and costs of their choices.
The 95% intervals of the fitted routers' gains hold their true one on at least 90 of 100 (told). Told too: the mean error over all tables with its own standard error, which is 0 but for chance where the estimator is not biased.

Exits 1 if a bar is missed.

  --tables N   [default: 100]
  --rows N     prompts of each table [default: 600]
  --router R   the router that is judged [default: carrot-knn]
"""

import argparse
import json
import shutil
import sys

try:
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq
except ImportError as error:
    sys.exit(f"missing: {error}; pip install -r scripts/requirements-bench.txt")

from bench import Bench, build, sha256
from coins import DIM, MODELS, N_FOLDS, columns, gains, world

STRENGTH = 0.25
PARTS = ("train", "test")


def at_random(rng, shape, rates):
    """What is known where each score is with a rate of its LLM's; (known, propensities that the table records,
    if it does, for how many prompts of its LLM each known score stands)"""
    known = rng.uniform(size=shape) < rates
    # A prompt of which nothing is known is no row of a log.
    empty = ~known.any(axis=1)
    known[empty, rng.integers(shape[1], size=empty.sum())] = True
    return known, None, known.astype(np.float64)


def skewed(x):
    """The probability of each LLM for each prompt: more on its own directions, some of which are what it is good at (see `world`), and more for the
    last ones."""
    rng = np.random.default_rng(15)
    directions = rng.standard_normal((DIM, len(MODELS)))
    directions /= np.linalg.norm(directions, axis=0)
    odds = np.exp(1.5 * x @ directions + np.linspace(-0.4, 0.4, len(MODELS)))
    return odds / odds.sum(axis=1, keepdims=True)


def log(rng, policy, records):
    """One answer per prompt; as `at_random`."""
    asked = (policy.cumsum(axis=1) > rng.uniform(size=(len(policy), 1))).argmax(axis=1)
    known = np.zeros(policy.shape, dtype=bool)
    known[np.arange(len(policy)), asked] = True
    return known, np.where(known, policy, np.nan) if records else None, known / policy


# By name; each takes a random generator, and the embeddings of the prompts.
HOLES = {
    "30%": lambda rng, x: at_random(rng, (len(x), len(MODELS)), 0.7),
    "60%": lambda rng, x: at_random(rng, (len(x), len(MODELS)), 0.4),
    "uneven": lambda rng, x: at_random(rng, (len(x), len(MODELS)), np.array([0.9, 0.1, 0.5, 0.3, 0.7, 0.4])),
    "log": lambda rng, x: log(rng, np.full((len(x), len(MODELS)), 1 / len(MODELS)), True),
    "skewed": lambda rng, x: log(rng, skewed(x.astype(np.float64)), True),
    "estimated": lambda rng, x: log(rng, skewed(x.astype(np.float64)), False),
}
# Times the rows of a table with holes.
LOGS = {"log": 4, "skewed": 4, "estimated": 4}
COINS = ("skewed", "estimated")


def make(bench, name, drawn, known, propensities):
    """Makes the data set with its embeddings; the table's rows in the order of both parts."""
    x, _, _, scores, costs = drawn
    ids = [f"p{i}" for i in range(len(x))]
    data = {"id": ids, "task": ["made-up"] * len(ids), "prompt": [f"prompt {i}" for i in ids]}
    for m, model in enumerate(MODELS):
        missing = ~known[:, m]
        data |= {f"{model}/score": pa.array(scores[:, m], mask=missing), f"{model}/cost_usd": pa.array(costs[:, m], mask=missing)}
        if propensities is not None:
            data[f"{model}/propensity"] = pa.array(propensities[:, m], mask=np.isnan(propensities[:, m]))
    pq.write_table(pa.table(data), bench.folder / "table.parquet")
    bench.succeed("gen-custom", "--input", "table.parquet", "--name", name, "--force", "-q")
    folder = bench.folder / "data" / name
    order = []
    (folder / "embeddings" / "made").mkdir(parents=True, exist_ok=True)
    for part in PARTS:
        rows = [int(row[1:]) for row in pq.read_table(folder / f"{part}.parquet", columns=["id"])["id"].to_pylist()]
        order += rows
        vectors = pa.FixedSizeListArray.from_arrays(pa.array(x[rows].ravel()), DIM)
        of_part = pa.table({"id": [ids[row] for row in rows], "embedding": vectors})
        pq.write_table(of_part, folder / "embeddings" / "made" / f"{part}.parquet")
    return order


def common(name):
    return ["--dataset", name, "--embedding", "made"]


def fit(bench, name, router):
    bench.succeed("train-and-infer", *common(name), "-q", "--routers", router, "--cross-fit", str(N_FOLDS))


def judge(bench, name, router, is_fitted=True):
    """What `worth` says of the predictions on disk, or of its own where nothing is fitted yet."""
    code, output, errors = bench.run("carrot-router", "worth", *common(name), "--router", router, "--json")
    if code not in (0, 3, 4):
        sys.exit(f"worth: exit code {code}\n{errors}")
    # Predictions of other settings or rows are passed over, and others judged in their place.
    if is_fitted and "using the predictions in" not in errors:
        sys.exit(f"worth did not judge the predictions that are there\n{errors}")
    return json.loads(output)["gain"] | {"exit-code": code}


def lend(bench, source, target, router):
    """Gives a data set, in the place of its own out-of-fold predictions, those that were made for another one of the same prompts."""
    data = bench.folder / "data"
    from_path, to_path = (data / name / "cross-fit" / router / "0.parquet" for name in (source, target))
    table = pq.read_table(from_path)
    kept = {key: value for key, value in pq.read_metadata(to_path).metadata.items() if key != b"ARROW:schema"}
    old = sha256(to_path)
    with pq.ParquetWriter(to_path, table.schema.remove_metadata()) as writer:
        writer.write_table(table.replace_schema_metadata(None))
        writer.add_key_value_metadata(kept)
    manifest = to_path.with_suffix(".json")
    text = manifest.read_text()
    assert old in text, "the manifest says whose predictions these are"
    manifest.write_text(text.replace(old, sha256(to_path)))


class Weighted:
    """Columns whose mean is weighted, as far as `coins.gains` asks."""

    def __init__(self, values, weights):
        self.values, self.weights = np.where(weights > 0, values, 0.0), weights

    def __getitem__(self, rows):
        return Weighted(self.values[rows], self.weights[rows])

    def mean(self, axis):
        return (self.weights * self.values).sum(axis=axis) / self.weights.sum(axis=axis)


def true_gain(bench, name, router, drawn, order, weights):
    """Of the routers that were fitted, with the best constants of what was known, from expected scores and costs."""
    _, p, expected_cost, scores, costs = drawn
    path = bench.folder / "data" / name / "cross-fit" / router / "0.parquet"
    predictions = columns(path, "score"), columns(path, "cost_usd")
    folds = pq.read_table(path, columns=["fold"])["fold"].to_numpy()
    observed = (Weighted(values[order], weights[order]) for values in (scores.astype(np.float64), costs))
    return gains(tuple(observed), predictions, folds, p[order], expected_cost[order])


def draw(bench, options, holes, rows, seed):
    """The gains of one table, by holes: (complete, judged, fitted, true gain of the fitted)."""
    drawn = world("close", STRENGTH, rows, seed)
    complete = np.ones(drawn[1].shape, dtype=bool)
    order = make(bench, "complete", drawn, complete, None)
    fit(bench, "complete", options.router)
    of_complete = judge(bench, "complete", options.router)
    found = {}
    for name in holes:
        rng = np.random.default_rng([seed, list(HOLES).index(name)])
        known, propensities, weights = HOLES[name](rng, drawn[0])
        order = make(bench, "holes", drawn, known, propensities)
        fit(bench, "holes", options.router)
        fitted = judge(bench, "holes", options.router)
        truth = true_gain(bench, "holes", options.router, drawn, order, weights)
        lend(bench, "complete", "holes", options.router)
        judged = judge(bench, "holes", options.router)
        found[name] = of_complete, judged, fitted, truth
    return found


def near(estimates):
    """How many of (estimate, standard error, target) lie within two standard errors, and the mean error with its standard error."""
    estimates = np.array(list(estimates))
    errors = estimates[:, 0] - estimates[:, 2]
    within = int((np.abs(errors) <= 2 * estimates[:, 1]).sum())
    return within, errors.mean(), errors.std(ddof=1) / np.sqrt(len(errors))


def coins(bench, options):
    """Whether logs of tables with nothing to route by are called worth it rarely enough."""
    passed, n = True, options.tables
    for name in COINS:
        codes = []
        for seed in range(n):
            drawn = world(("close", "dominant")[seed % 2], 0.0, options.rows * LOGS[name], 10_000 + seed)
            known, propensities, _ = HOLES[name](np.random.default_rng([seed, 99]), drawn[0])
            make(bench, "coins", drawn, known, propensities)
            shutil.rmtree(bench.folder / "data" / "coins" / "cross-fit", ignore_errors=True)
            codes.append(judge(bench, "coins", options.router, is_fitted=False)["exit-code"])
        wrong = codes.count(0)
        told = {code: codes.count(code) for code in (0, 3, 4)}
        print(f"coins, {name}: {wrong} of {n} called worth it (bar {0.06 * n:.0f}); exit codes {told}")
        passed &= wrong <= 0.06 * n
    return passed


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("holes", nargs="*", choices=[[], *HOLES, "coins"])
    parser.add_argument("--tables", type=int, default=100)
    parser.add_argument("--rows", type=int, default=600)
    parser.add_argument("--router", default="carrot-knn")
    options = parser.parse_args()
    options.holes = options.holes or [*HOLES, "coins"]
    build("gen-custom", "train-and-infer", "carrot-router")
    bench = Bench()
    found = [{} for _ in range(options.tables)]
    holes = [name for name in options.holes if name in HOLES]
    for times in sorted({LOGS.get(name, 1) for name in holes}):
        of_size = [name for name in holes if LOGS.get(name, 1) == times]
        for seed, of_table in enumerate(found):
            of_table |= draw(bench, options, of_size, options.rows * times, seed)
    passed, n = True, options.tables
    if "coins" in options.holes:
        passed &= coins(bench, options)
    bench.remove()
    for name in holes:
        of_holes = [of_table[name] for of_table in found]
        complete = np.mean([it[0]["estimate"] for it in of_holes])
        print(f"{name}: gain of complete tables {complete:+.4f}, standard error {np.mean([it[0]['standard-error'] for it in of_holes]):.4f}")
        for what, position, bar in (("judged", 1, 0.9), ("fitted", 2, None)):
            gain = [it[position]["estimate"] for it in of_holes]
            error = [it[position]["standard-error"] for it in of_holes]
            within, bias, of_bias = near(zip(gain, error, [it[0]["estimate"] for it in of_holes]))
            bar_told = f" (bar {bar * n:.0f})" if bar else ""
            print(
                f"{name}: {what} {np.mean(gain):+.4f}, standard error {np.mean(error):.4f}; within two of the complete table's on {within} of {n}{bar_told}; "
                f"mean error {bias:+.4f} ({of_bias:.4f})"
            )
            passed &= bar is None or within >= bar * n
        gain, error, truth = ([it[2]["estimate"] for it in of_holes], [it[2]["standard-error"] for it in of_holes], [it[3] for it in of_holes])
        within, bias, of_bias = near(zip(gain, error, truth))
        print(f"{name}: fitted routers truly gain {np.mean(truth):+.4f}; within two standard errors on {within} of {n}; mean error {bias:+.4f} ({of_bias:.4f})")
        held = sum(it[2]["low"] <= it[3] <= it[2]["high"] for it in of_holes)
        codes = {code: sum(it[2]["exit-code"] == code for it in of_holes) for code in (0, 3, 4)}
        print(f"{name}: intervals of fitted routers hold their true gain on {held} of {n}; exit codes {codes}")
    sys.exit(0 if passed else 1)


if __name__ == "__main__":
    main()
