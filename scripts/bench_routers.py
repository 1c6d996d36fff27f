#!/usr/bin/env python3
"""Binary routers side by side: what Python's libraries take, and what ours take, on the same rows in the same run.

    pip install -r scripts/requirements-bench.txt
    scripts/bench_routers.py rorf                       a data set's pair, here open-llm with MiniLM embeddings
    scripts/bench_routers.py rorf --made-up 28569 1536  made-up rows of RouterBench's size

rorf: scikit-learn's RandomForestClassifier(n_jobs=2) as the reference runs it, against the bench `forest` of the crate `routers`, with 100 trees
and scikit-learn's defaults. Both are fitted once with each seed, by turns; medians count. Agreement: the mean over seeds of the AUROC for
"small is right" on the test rows differs by at most .01. On the made-up rows an AUROC varies by .006 from seed to seed: with few seeds chance
alone may miss that, and the standard error tells. The data set must be there with its embeddings (`cargo run -p gen-custom`, then
`cargo run -p train-and-infer -- --routers carrot-knn --embedding minilm`).

Ends with 1 if a ratio or an agreement is missed.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

ROOT = Path(__file__).resolve().parent.parent


@dataclass
class Pair:
    """Embeddings of both splits, and whether the small and the large LLM answer each prompt right."""

    name: str
    train: np.ndarray
    test: np.ndarray
    train_right: tuple
    test_right: tuple


def read_pair(args):
    root = args.data_dir / args.dataset
    small, large = args.small, args.large

    def part(name):
        vectors = pq.read_table(root / f"embeddings/{args.embedding}/{name}.parquet")["embedding"].combine_chunks()
        table = pq.read_table(root / f"{name}.parquet", columns=[f"{small}/score", f"{large}/score"])
        scores = [column.to_numpy() for column in table.columns]
        known = ~np.isnan(scores[0]) & ~np.isnan(scores[1])
        rows = np.asarray(vectors.flatten(), np.float32).reshape(len(vectors), -1)
        return rows[known], tuple(score[known] > 0.5 for score in scores)

    (train, train_right), (test, test_right) = part("train"), part("test")
    return Pair(f"{args.dataset}, {args.embedding}", train, test, train_right, test_right)


def make_pair(n_rows, dim):
    """Embeddings around 200 topics; how often the LLMs are right depends on the topic."""
    rng = np.random.default_rng(0)
    n_test = n_rows // 4
    topics = rng.standard_normal((200, dim)).astype(np.float32)
    topic = rng.integers(200, size=n_rows + n_test)
    rows = topics[topic] + 1.5 * rng.standard_normal((n_rows + n_test, dim), dtype=np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    ability = rng.uniform(0.2, 0.9, (200, 2))
    right = rng.uniform(size=(n_rows + n_test, 2)) < ability[topic]
    parts = [tuple(right[part].T) for part in (slice(n_rows), slice(n_rows, None))]
    return Pair("made up", rows[:n_rows], rows[n_rows:], *parts)


def outcomes(right):
    """RoRF's classes: 0 only the large one is right, 1 neither, 2 both, 3 only the small one."""
    small, large = right
    return np.select([small & large, small, large], [2, 3, 0], 1).astype(np.uint8)


def build_bench(name):
    """The program of a bench of `routers`, built with the profile that `cargo run` uses."""
    command = ["cargo", "bench", "-p", "routers", "--profile", "dev", "--bench", name, "--no-run", "--message-format", "json"]
    lines = subprocess.run(command, check=True, cwd=ROOT, stdout=subprocess.PIPE, text=True).stdout.splitlines()
    artifacts = [message for message in map(json.loads, lines) if message["reason"] == "compiler-artifact"]
    return next(artifact["executable"] for artifact in artifacts if artifact["target"]["name"] == name and artifact["executable"])


def fit_ours(bench, folder, dim, seed):
    command = [bench, str(folder), str(dim), str(seed)]
    run = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)
    probabilities = np.fromfile(folder / f"ours-{seed}.f64", "<f8").reshape(-1, 4)
    return run["fit"], run["predict"], run["nodes"], probabilities


def fit_sklearn(pair, labels, seed):
    from sklearn.ensemble import RandomForestClassifier

    start = time.perf_counter()
    forest = RandomForestClassifier(random_state=seed, n_jobs=2).fit(pair.train, labels)
    fit = time.perf_counter() - start
    start = time.perf_counter()
    seen = forest.predict_proba(pair.test)
    predict = time.perf_counter() - start
    probabilities = np.zeros((len(pair.test), 4))
    probabilities[:, forest.classes_] = seen
    return fit, predict, sum(tree.tree_.node_count for tree in forest.estimators_), probabilities


def bench_rorf(args):
    from sklearn.metrics import roc_auc_score

    pair = make_pair(*args.made_up) if args.made_up else read_pair(args)
    labels = outcomes(pair.train_right)
    n_rows, dim = pair.train.shape
    runs = {"ours": [], "scikit-learn": []}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        pair.train.astype("<f4").tofile(folder / "train.f32")
        pair.test.astype("<f4").tofile(folder / "test.f32")
        labels.tofile(folder / "labels.u8")
        bench = build_bench("forest")
        for seed in args.seeds:
            runs["ours"].append(fit_ours(bench, folder, dim, seed))
            runs["scikit-learn"].append(fit_sklearn(pair, labels, seed))

    print(f"rorf on {pair.name}: {n_rows} x {dim} train rows, {len(pair.test)} test rows, seeds {args.seeds}; medians")
    medians, means, variances = {}, {}, {}
    for who, results in runs.items():
        fit, predict, nodes = (statistics.median(result[i] for result in results) for i in range(3))
        auroc = [roc_auc_score(pair.test_right[0], p[:, 2] + p[:, 3]) for *_, p in results]
        spread = statistics.stdev(auroc) if len(auroc) > 1 else float("nan")
        medians[who], means[who], variances[who] = fit, statistics.mean(auroc), spread**2 / len(auroc)
        fits = " ".join(f"{result[0]:.2f}" for result in results)
        print(f"{who:13} fit {fit:7.2f} s ({fits})   predict {predict:.3f} s   {nodes:,.0f} nodes   "
              f"AUROC {means[who]:.4f}, standard deviation {spread:.4f} ({' '.join(f'{a:.4f}' for a in auroc)})")
    ratio = medians["scikit-learn"] / medians["ours"]
    difference = means["ours"] - means["scikit-learn"]
    print(f"ratio {ratio:.1f}, AUROC differs by {difference:+.4f} with a standard error of {sum(variances.values()) ** 0.5:.4f}")
    failures = []
    if ratio < args.min_ratio:
        failures.append(f"ours is {ratio:.1f} times as fast, not {args.min_ratio}")
    if abs(difference) > args.tolerance:
        failures.append(f"AUROC differs by more than {args.tolerance}")
    return failures


def parse_args():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    routers = parser.add_subparsers(dest="router", required=True, metavar="ROUTER")
    rorf = routers.add_parser("rorf", help="the random forest")
    rorf.set_defaults(bench=bench_rorf)
    rorf.add_argument("--data-dir", type=Path, default=ROOT / "data")
    rorf.add_argument("--dataset", default="open-llm")
    rorf.add_argument("--embedding", default="minilm")
    rorf.add_argument("--small", default="Qwen/Qwen2.5-7B-Instruct")
    rorf.add_argument("--large", default="Qwen/Qwen2.5-72B-Instruct")
    rorf.add_argument("--made-up", type=int, nargs=2, metavar=("ROWS", "DIM"), help="made-up rows in place of a data set's")
    rorf.add_argument("--seeds", type=int, nargs="+", default=[42, 1, 2, 3, 4])
    rorf.add_argument("--min-ratio", type=float, default=3.0, help="least ratio of the times to fit")
    rorf.add_argument("--tolerance", type=float, default=0.01, help="largest difference of mean AUROC")
    return parser.parse_args()


def main():
    args = parse_args()
    failures = args.bench(args)
    print("\n".join(f"FAILED: {failure}" for failure in failures) or "OK")
    sys.exit(bool(failures))


if __name__ == "__main__":
    main()
