#!/usr/bin/env python3
"""CARROT (KNN) side by side: scikit-learn's procedure against ours, on the same made-up table.

    pip install -r scripts/requirements-bench.txt
    scripts/bench_knn.py                        8,000 rows: both, three times, agreement and ratio
    scripts/bench_knn.py --n 37604 --no-sklearn SPROUT's size: ours against one n x n x dim matrix product
    scripts/bench_knn.py --n 200000 --dim 384 --runs 1 --tune-queries 10000
                                                ours by all prompts against ours by some of them, and nothing else

Makes `n` train and `n / 5` test rows of `dim` float32 with scores and output tokens of 13 LLMs, as Parquet files of the workspace's form, in a
temporary folder. scikit-learn does what the reference does: for each of the two targets, cross_val_score of KNeighborsRegressor(metric="cosine")
for nine k and five folds, then fit and predict. Ours is `cargo run -p train-and-infer`, whose manifest says how long fit and predict took.

Agreement: the same k, cross-validation scores within 1e-5, predictions within 1e-5 of those by float64 similarities. scikit-learn's own
float32 similarities confuse neighbors that are closer than their rounding; the rows where that changes its prediction are counted.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

# The workplace may hold OpenBLAS back to an old processor; a fair reference uses what the machine has.
for name in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"):
    os.environ.pop(name, None)

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

ROOT = Path(__file__).resolve().parent.parent
KS = [2, 4, 8, 16, 32, 64, 128, 256, 512]
N_FOLDS = 5
TOLERANCE = 1e-5


def make_table(n_rows, dim, n_models, seed):
    """Embeddings around 200 topics; scores and lengths depend on the topic, the LLM and chance."""
    rng = np.random.default_rng(seed)
    topics = rng.standard_normal((200, dim)).astype(np.float32)
    topic = rng.integers(200, size=n_rows)
    embeddings = topics[topic] + 1.5 * rng.standard_normal((n_rows, dim), dtype=np.float32)
    embeddings /= np.linalg.norm(embeddings, axis=1, keepdims=True)
    ability = rng.uniform(0.2, 0.9, (200, n_models))
    scores = (rng.uniform(size=(n_rows, n_models)) < ability[topic]).astype(np.float32)
    length = rng.uniform(4.0, 6.5, (200, n_models))
    tokens = np.exp(length[topic] + 0.5 * rng.standard_normal((n_rows, n_models))).astype(np.uint32)
    return embeddings, scores, tokens


def write_data_set(root, parts, models):
    for part, (embeddings, scores, tokens) in parts.items():
        n_rows, dim = embeddings.shape
        ids = [f"{part}-{i}" for i in range(n_rows)]
        columns = {"id": ids, "task": ["bench"] * n_rows, "prompt": ids}
        for m, model in enumerate(models):
            columns[f"{model}/score"] = scores[:, m]
            columns[f"{model}/input_tokens"] = np.full(n_rows, 100, np.uint32)
            columns[f"{model}/output_tokens"] = tokens[:, m]
            columns[f"{model}/cost_usd"] = (100 + tokens[:, m]) / 1e6
        root.mkdir(parents=True, exist_ok=True)
        pq.write_table(pa.table(columns), root / f"{part}.parquet")
        folder = root / "embeddings/bench"
        folder.mkdir(parents=True, exist_ok=True)
        item = pa.field("item", pa.float32(), nullable=False)
        lists = pa.FixedSizeListArray.from_arrays(pa.array(embeddings.ravel()), type=pa.list_(item, dim))
        schema = pa.schema([pa.field("id", pa.string(), False), pa.field("embedding", pa.list_(item, dim), False)])
        pq.write_table(pa.table([pa.array(ids), lists], schema=schema), folder / f"{part}.parquet")
    price = {"input_usd_per_mtok": 1.0, "output_usd_per_mtok": 1.0}
    info = {
        "name": root.name, "models": [{"name": m, "price": price, "cost-rule": "input-and-output-tokens"} for m in models],
        "pair": None, "cost-kind": "output-tokens", "n-train": len(parts["train"][0]), "n-test": len(parts["test"][0]),
        "split": {"kind": "given"}, "sources": [], "made-by": "bench_knn.py", "notes": [],
    }
    (root / "dataset.json").write_text(json.dumps(info))


def run_ours(data_dir, backend, tune_queries=0):
    config = data_dir / "routers.toml"
    text = (ROOT / "configs/routers.toml").read_text()
    text = text.replace('backend = "gemm"', f'backend = "{backend}"')
    config.write_text(text.replace("tune-queries = 0", f"tune-queries = {tune_queries}"))
    command = ["cargo", "run", "--quiet", "-p", "train-and-infer", "--", "--dataset", "bench", "--routers", "carrot-knn",
               "--embedding", "bench", "--data-dir", str(data_dir), "--config", str(config), "--quiet", "--json"]
    subprocess.run(command, check=True, cwd=ROOT, stdout=subprocess.DEVNULL)
    manifest = json.loads((data_dir / "bench/preds/carrot-knn.json").read_text())
    seconds = {stage["name"]: stage["seconds"] for stage in manifest["timings"]["stages"]}
    return seconds["fit"], seconds["predict"], manifest


def read_predictions(data_dir, models):
    table = pq.read_table(data_dir / "bench/preds/carrot-knn.parquet")
    return [np.column_stack([table[f"{model}/{field}"].to_numpy() for model in models]) for field in ("score", "output_tokens")]


def run_sklearn(train, test):
    from sklearn.model_selection import cross_val_score
    from sklearn.neighbors import KNeighborsRegressor

    embeddings, *targets = train
    tables, chosen, predictions, tuning, predicting = [], [], [], 0.0, 0.0
    for target in targets:
        target = target.astype(np.float64)
        start = time.perf_counter()
        table = [cross_val_score(KNeighborsRegressor(k, metric="cosine"), embeddings, target, cv=N_FOLDS).mean() for k in KS]
        best = KS[int(np.argmax(table))]
        model = KNeighborsRegressor(best, metric="cosine").fit(embeddings, target)
        tuning += time.perf_counter() - start
        start = time.perf_counter()
        predictions.append(model.predict(test[0]))
        predicting += time.perf_counter() - start
        tables.append(table)
        chosen.append(best)
    start = time.perf_counter()
    for row in range(20):
        model.predict(test[0][row : row + 1])
    return tuning, predicting, tables, chosen, predictions, (time.perf_counter() - start) / 20


def predict_in_float64(train, test, ks):
    rows = train[0].astype(np.float64)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    predictions = [np.empty((len(test[0]), target.shape[1])) for target in train[1:]]
    for start in range(0, len(test[0]), 500):
        queries = test[0][start : start + 500].astype(np.float64)
        order = np.argsort(-(queries @ rows.T), axis=1, kind="stable")
        for prediction, target, k in zip(predictions, train[1:], ks):
            prediction[start : start + 500] = target[order[:, :k]].astype(np.float64).mean(axis=1)
    return predictions


def matrix_product_seconds(rows):
    """The median of three products of all rows with all rows, in blocks, so that the result need not be held."""
    def once():
        start = time.perf_counter()
        out = np.empty((2048, len(rows)), np.float32)
        for first in range(0, len(rows), 2048):
            block = rows[first : first + 2048]
            np.matmul(block, rows.T, out=out[: len(block)])
        return time.perf_counter() - start

    return statistics.median(once() for _ in range(3))


def compare_sampled(data_dir, args):
    """By all prompts and by some, by turns; medians count."""
    ways = [0, args.tune_queries]
    runs = [[run_ours(data_dir, args.backend, way) for way in ways] for _ in range(args.runs)]
    seconds = [statistics.median(run[i][0] for run in runs) for i in range(2)]
    print(f"n = {args.n} x {args.dim}, {args.models} LLMs, median of {args.runs}: fit by all prompts {seconds[0]:.1f} s, "
          f"by {args.tune_queries} {seconds[1]:.1f} s, {seconds[1] / seconds[0]:.3f} of it")
    for by_all, by_some in zip(*(run[2]["results"]["targets"] for run in runs[-1])):
        print(f"{by_all['target']}: k {by_all['n-neighbors']} and {by_some['n-neighbors']}")


def worst(a, b):
    """Largest difference, relative where values exceed 1 (token counts)."""
    return float(np.max(np.abs(a - b) / np.maximum(1.0, np.abs(b))))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--n", type=int, default=8_000, help="train rows")
    parser.add_argument("--dim", type=int, default=1_536)
    parser.add_argument("--models", type=int, default=13)
    parser.add_argument("--runs", type=int, default=3, help="runs of either side; the median counts")
    parser.add_argument("--backend", default="gemm", help="gemm, linfa-linear, linfa-balltree or linfa-kdtree")
    parser.add_argument("--no-sklearn", action="store_true")
    parser.add_argument("--tune-queries", type=int, metavar="M", help="compare k by all prompts with k by so many")
    args = parser.parse_args()

    models = [f"llm-{m}" for m in range(args.models)]
    # Of a comparison of fits predictions are no part.
    n_test = 1_000 if args.tune_queries else args.n // 5
    whole = make_table(args.n + n_test, args.dim, args.models, seed=0)
    parts = {"train": [part[: args.n] for part in whole], "test": [part[args.n :] for part in whole]}
    with tempfile.TemporaryDirectory() as folder:
        data_dir = Path(folder)
        write_data_set(data_dir / "bench", parts, models)
        subprocess.run(["cargo", "build", "--quiet", "-p", "train-and-infer"], check=True, cwd=ROOT)
        if args.tune_queries:
            compare_sampled(data_dir, args)
            return
        runs = [run_ours(data_dir, args.backend) for _ in range(args.runs)]
        ours = read_predictions(data_dir, models)
    fit, predict = (statistics.median(run[i] for run in runs) for i in range(2))
    manifest = runs[-1][2]
    fits = manifest["results"]["targets"]
    print(f"n = {args.n} x {args.dim}, {args.models} LLMs, {n_test} queries, median of {args.runs}, back end {args.backend}")
    print(f"ours          fit {fit:8.2f} s   predict {predict:7.2f} s   peak memory {manifest['timings']['peak-memory-bytes'] / 2**30:.2f} GiB")

    product = matrix_product_seconds(parts["train"][0])
    print(f"n x n x {args.dim} float32 product (numpy) {product:.2f} s: ours takes {(fit + predict) / product:.2f} of it")

    exact = predict_in_float64(parts["train"], parts["test"], [fit["n-neighbors"] for fit in fits])
    failures = [f"{fit['target']}: predictions differ by {worst(a, b):.1e} from float64's"
                for fit, a, b in zip(fits, ours, exact) if worst(a, b) > TOLERANCE]
    print(f"largest difference of predictions from float64's: {max(worst(a, b) for a, b in zip(ours, exact)):.1e}")
    if not args.no_sklearn:
        from threadpoolctl import threadpool_info

        runs = [run_sklearn(parts["train"], parts["test"]) for _ in range(args.runs)]
        tuning, predicting = (statistics.median(run[i] for run in runs) for i in range(2))
        _, _, tables, chosen, predictions, single = runs[-1]
        blas = {pool["architecture"] for pool in threadpool_info() if "architecture" in pool}
        print(f"scikit-learn  fit {tuning:8.2f} s   predict {predicting:7.2f} s   one query {1e3 * single:.1f} ms   BLAS for {blas}")
        print(f"ratio         fit {tuning / fit:8.1f}     predict {predicting / predict:7.1f}     all {(tuning + predicting) / (fit + predict):.1f}")
        for fit, table, k, theirs, exactly in zip(fits, tables, chosen, predictions, exact):
            scores = [score["mean-r2"] for score in fit["cross-validation"]]
            difference = worst(np.array(scores), np.array(table))
            confused = int(np.sum(np.max(np.abs(theirs - exactly) / np.maximum(1, np.abs(exactly)), axis=1) > TOLERANCE))
            print(f"{fit['target']}: k {fit['n-neighbors']} and {k}, CV scores within {difference:.1e}, "
                  f"scikit-learn's float32 confuses neighbors of {confused} of {n_test} queries")
            if fit["n-neighbors"] != k:
                failures.append(f"{fit['target']}: k differs")
            if difference > TOLERANCE:
                failures.append(f"{fit['target']}: CV scores differ by {difference:.1e}")
            if confused > n_test / 100:
                failures.append(f"{fit['target']}: {confused} predictions differ from scikit-learn's")
    for failure in failures:
        print("FAILED", failure)
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
