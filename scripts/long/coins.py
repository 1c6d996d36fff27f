#!/usr/bin/env python3
"""`carrot-router worth` on tables whose truth is known: how often it is wrong where there is nothing, right where there is much, and how often its
interval holds the truth.

    pip install -r scripts/requirements-bench.txt
    scripts/long/coins.py [--tables N] [--router R] [--rows N] [coins | power | coverage]...

  coins      tables whose scores do not depend on the prompt, half of them with LLMs close together, half with one that dominates; exit
             code 0, "worth it", on at most 6 of 100
  power      tables whose true gain is at least 4 standard errors; exit code 0 on at least 18 of 20
  coverage   tables from no signal to much; the 95% interval of the mean gain holds the true one on at least 90 of 100

A table is `--rows` prompts with embeddings of 6 numbers, and 6 LLMs; embeddings, expectations, scores and costs are drawn here, with seeds. It
goes through gen-custom, `train-and-infer --cross-fit` and `carrot-router worth`. The true gain of the routers that were judged is computed
here, by the formula and not by the program: choices and baselines from the out-of-fold predictions, and of every choice the expected score and
cost instead of the observed ones. So that chance in the prompts counts too, the truth of a kind of table is the mean over those of its tables on
which any prompt is routed; where none is, the gain of those routers is 0 on all prompts.

Also compared: the gain that `worth` reports and the one computed here from the observed scores and costs, within 1e-6.

Exits 1 if a bar is missed.

  --tables N   of each kind [default: 100, and 20 for power]
  --rows N     prompts of each table [default: 600]
  --router R   the router that is judged [default: carrot-blend]
"""

import argparse
import json
import sys

try:
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq
except ImportError as error:
    sys.exit(f"coins: {error}; pip install -r scripts/requirements-bench.txt")

from bench import Bench, build

DIM = 6
MODELS = [f"llm-{m}" for m in range(6)]
N_FOLDS = 5
# As in crates/dataset/src/worth.rs.
N_WORTHS, WORTH_RANGE = 25, 200.0
AGREES = 1e-6


def world(kind, strength, n_rows, seed):
    """(embeddings, expected scores, expected costs, scores, costs)"""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n_rows, DIM))
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    if kind == "dominant":
        base = np.array([0.85, 0.5, 0.45, 0.4, 0.35, 0.3])
        mean_cost = np.array([1.0, 1.5, 2.0, 2.5, 3.0, 4.0]) * 1e-3
    else:
        # Close together at the top: argmax over them picks noise.
        base = 0.6 + 0.01 * rng.uniform(size=len(MODELS))
        mean_cost = np.array([1.0, 1.1, 1.3, 1.6, 2.0, 2.5]) * 1e-3
    # What an LLM is good at is a direction; a tanh keeps expectations in (0, 1).
    directions = rng.standard_normal((DIM, len(MODELS)))
    directions /= np.linalg.norm(directions, axis=0)
    skill = np.tanh(2.0 * x @ directions)
    p = np.clip(base + strength * skill, 0.02, 0.98)
    # Costs vary from prompt to prompt, by a factor that no embedding tells.
    factor = np.exp(0.3 * rng.standard_normal((n_rows, len(MODELS))) - 0.045)
    scores = (rng.uniform(size=p.shape) < p).astype(np.float32)
    expected_cost = np.broadcast_to(mean_cost, p.shape)
    return x.astype(np.float32), p, expected_cost, scores, expected_cost * factor


def utility(score, cost, worth):
    return score - cost / worth


def gains(table, predictions, folds, scores, costs):
    """Mean gain over the worths, judged by the given scores and costs; folds and choices by what was observed and predicted."""
    observed_scores, observed_costs = table
    predicted_scores, predicted_costs = predictions
    means = observed_costs.mean(axis=0)
    spread = means.max() - means.min()
    rows = np.arange(len(folds))
    by_worth = []
    for worth in spread * WORTH_RANGE ** (np.arange(N_WORTHS) / (N_WORTHS - 1)):
        chosen = utility(predicted_scores, predicted_costs, worth).argmax(axis=1)
        single = np.empty_like(chosen)
        for fold in np.unique(folds):
            others = folds != fold
            mean = utility(observed_scores[others].mean(axis=0), observed_costs[others].mean(axis=0), worth)
            single[~others] = mean.argmax()
        judged = utility(scores, costs, worth)
        by_worth.append((judged[rows, chosen] - judged[rows, single]).mean())
    return np.mean(by_worth)


def columns(path, field):
    table = pq.read_table(path)
    return np.stack([table[f"{model}/{field}"].to_numpy() for model in MODELS], axis=1).astype(np.float64)


def one_table(bench, kind, strength, options, seed):
    """(exit code, report, true gain, observed gain)"""
    x, p, expected_cost, scores, costs = world(kind, strength, options.rows, seed)
    ids = [f"p{i}" for i in range(len(x))]
    data = {"id": ids, "task": ["made-up"] * len(ids), "prompt": [f"prompt {i}" for i in ids]}
    for m, model in enumerate(MODELS):
        data |= {f"{model}/score": scores[:, m], f"{model}/cost_usd": costs[:, m]}
    pq.write_table(pa.table(data), bench.folder / "table.parquet")
    bench.succeed("gen-custom", "--input", "table.parquet", "--name", "coins", "--force", "-q")
    folder = bench.folder / "data" / "coins"
    order = []
    (folder / "embeddings" / "made").mkdir(parents=True, exist_ok=True)
    for part in ("train", "test"):
        rows = [int(name[1:]) for name in pq.read_table(folder / f"{part}.parquet", columns=["id"])["id"].to_pylist()]
        order += rows
        vectors = pa.FixedSizeListArray.from_arrays(pa.array(x[rows].ravel()), DIM)
        of_part = pa.table({"id": [ids[row] for row in rows], "embedding": vectors})
        pq.write_table(of_part, folder / "embeddings" / "made" / f"{part}.parquet")
    common = ["--dataset", "coins", "--embedding", "made", "-q"]
    cross_fit = ["--routers", options.router, "--cross-fit", str(N_FOLDS)]
    bench.succeed("train-and-infer", *common, *cross_fit)
    code, output, errors = bench.run("carrot-router", "worth", *common, "--router", options.router, "--json")
    if code not in (0, 3, 4):
        sys.exit(f"worth: exit code {code}\n{errors}")
    out_of_fold = folder / "cross-fit" / options.router / "0.parquet"
    predictions = columns(out_of_fold, "score"), columns(out_of_fold, "cost_usd")
    folds = pq.read_table(out_of_fold, columns=["fold"])["fold"].to_numpy()
    table = scores[order].astype(np.float64), costs[order]
    true_gain = gains(table, predictions, folds, p[order], expected_cost[order])
    return code, json.loads(output), true_gain, gains(table, predictions, folds, *table)


def tables(name, settings, options):
    """Every table's result, with what differs between the program and this script told at once."""
    found = []
    bench = Bench()
    for i, (kind, strength) in enumerate(settings):
        code, report, true_gain, observed = one_table(bench, kind, strength, options, seed=1000 * len(name) + i)
        estimate = report["gain"]["estimate"]
        if abs(estimate - observed) > AGREES:
            sys.exit(f"{name} {i}: worth reports a mean gain of {estimate}, and this script finds {observed}")
        found.append((kind, strength, code, report["gain"], true_gain))
    bench.remove()
    return found


def coins(options):
    n = options.tables or 100
    found = tables("coins", [(("close", "dominant")[i % 2], 0.0) for i in range(n)], options)
    wrong = sum(code == 0 for _, _, code, *_ in found)
    told = {code: sum(it[2] == code for it in found) for code in (0, 3, 4)}
    print(f"coins: {wrong} of {n} called worth it (bar {0.06 * n:.0f}); exit codes {told}")
    return wrong <= 0.06 * n


def power(options):
    n = options.tables or 20
    found = tables("power", [("close", 0.25)] * n, options)
    true_gain = np.mean([it[4] for it in found])
    errors = [true_gain / it[3]["standard-error"] for it in found]
    right = sum(code == 0 for _, _, code, *_ in found)
    print(f"power: {right} of {n} called worth it (bar {0.9 * n:.0f}); true gain {true_gain:.4f}, {min(errors):.1f} standard errors and more")
    if min(errors) < 4.0:
        print("power: the true gain is below 4 standard errors on a table; take more rows")
        return False
    return right >= 0.9 * n


def coverage(options):
    n = options.tables or 100
    kinds = [("close", 0.0), ("close", 0.1), ("close", 0.2), ("close", 0.3), ("dominant", 0.2)]
    found = tables("coverage", [kinds[i % len(kinds)] for i in range(n)], options)
    held = 0
    for kind in kinds:
        of_kind = [(gain, true_gain) for *world, _, gain, true_gain in found if tuple(world) == kind]
        # Over prompts too, and not only over the answers to these ones. A router that never leaves the best single LLM gains exactly 0.
        routed = [true_gain for _, true_gain in of_kind if true_gain != 0.0]
        truth = np.mean(routed) if routed else 0.0
        holds = sum(gain["low"] <= (truth if true_gain else 0.0) <= gain["high"] for gain, true_gain in of_kind)
        own = sum(gain["low"] <= true_gain <= gain["high"] for gain, true_gain in of_kind)
        widths = np.mean([gain["high"] - gain["low"] for gain, _ in of_kind])
        print(f"coverage: {kind}: {len(routed)} of {len(of_kind)} tables routed, true gain {truth:+.4f}, held by {holds} of {len(of_kind)} intervals, each fit's own by {own}; mean width {widths:.4f}")
        held += holds
    print(f"coverage: {held} of {n} (bar {0.9 * n:.0f})")
    return held >= 0.9 * n


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bars", nargs="*", choices=[[], "coins", "power", "coverage"])
    parser.add_argument("--tables", type=int)
    parser.add_argument("--rows", type=int, default=600)
    parser.add_argument("--router", default="carrot-blend")
    options = parser.parse_args()
    build("gen-custom", "train-and-infer", "carrot-router")
    bars = {"coins": coins, "power": power, "coverage": coverage}
    passed = [bars[name](options) for name in (options.bars or bars)]
    sys.exit(0 if all(passed) else 1)


if __name__ == "__main__":
    main()
