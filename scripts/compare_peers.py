#!/usr/bin/env python3
"""Every router here beside the field's re-implemented ones, by what routing gains, on the same folds and the same embeddings.

    pip install -r scripts/requirements-bench.txt
    cargo run -p train-and-infer -- --dataset zeroeval --embedding minilm --routers carrot-knn
    cargo run -p train-and-infer -- --dataset zeroeval --embedding minilm --cross-fit 5 --routers carrot-blend carrot-knn mf rorf
    scripts/compare_peers.py data/zeroeval data/mmlu-pro      prints a table for each data set, Markdown with --output FILE

Routers of train-and-infer are taken from its out-of-fold predictions (--cross-fit 5). Peers are fitted here on the same folds, each predicted by what was
fitted on the four others, and their predictions go beside the others', to data/<name>/cross-fit/<peer>. `plots --figure metrics_table` judges all.

The number is `gain(v)` (docs/worth.md): the utility of a router's choices less that of the best single LLM of the rows that it was fitted on, as a score in
points, averaged over a grid of worths, with a 95% interval. p of a gain is one-sided, for a gain above 0, and corrected by Holm (1979) over the
routers; p of a difference to carrot-blend is two-sided, and corrected over all pairs of routers.

Peers, re-implemented with the numbers of their authors' code:
  knn-5, knn-256   scikit-learn's KNeighborsRegressor by cosine with a fixed k: 5 as in ulab-uiuc/LLMRouter's configurations, 256 as what
                   UCF-ML-Research/R2-Router calls CARROT-KNN
  clusters-25      Avengers-Pro's form (baselines/AvengersPro of ynulihao/LLMRouterBench at 0e267fb): 25 clusters of unit vectors by k-means, and the
                   means of the three nearest, weighted by exp(-9 x cosine distance). Theirs are means of ranks, or of accuracies scaled
                   within a cluster
  ridge-1          R2-Router's form: ridge regression with alpha 1. Its budgets of answer lengths need answers of each length, which no table
                   here has
  random           predictions that know nothing: a measure by which it gains is too good to be true
  mf-by-worth, rorf-by-worth, roberta-binary-by-worth
                   RouteLLM's matrix factorization and BERT form, and Not-Diamond's forest, where train-and-infer has cross-fitted them. They choose
                   between the data set's pair by a threshold; the threshold of each worth comes from an isotonic regression of the
                   difference of the pair's scores on their probability, over the rows of the four other folds
Costs that are known before a call are what everybody is told; otherwise peers predict dollars as they predict scores.
"""

import argparse
import csv
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from sklearn.cluster import KMeans
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import Ridge
from sklearn.neighbors import KNeighborsRegressor
from sklearn.preprocessing import normalize

ROOT = Path(__file__).resolve().parent.parent
SEED = 42
REFERENCE = "carrot-blend"
# Whose out-of-fold predictions say the folds, and have the form that peers' are written in.
MODEL = "carrot-knn"
# Below any score by more than the dearest LLM of the tables costs at the least worth.
NEVER = -10.0
PAIR_ROUTERS = ["mf", "rorf", "roberta-binary"]


def by_neighbors(k):
    return lambda: KNeighborsRegressor(k, metric="cosine")


class Clusters:
    """Means over clusters, of which the nearest ones are weighted."""

    N_CLUSTERS, N_NEAREST, BETA = 25, 3, 9.0

    def fit(self, X, targets):
        self.model = KMeans(self.N_CLUSTERS, random_state=SEED, n_init=10).fit(normalize(X))
        of_cluster = [targets[self.model.labels_ == cluster] for cluster in range(self.N_CLUSTERS)]
        self.means = np.array([of.mean(axis=0) for of in of_cluster])
        return self

    def predict(self, X):
        distances = 1 - normalize(X) @ self.model.cluster_centers_.T
        nearest = np.argsort(distances, axis=1)[:, : self.N_NEAREST]
        weights = np.exp(-self.BETA * np.take_along_axis(distances, nearest, axis=1))
        weights /= weights.sum(axis=1, keepdims=True)
        return np.einsum("ij,ijk->ik", weights, self.means[nearest])


class Random:
    """The targets' means, and noise of a tenth of their deviation."""

    def fit(self, X, targets):
        self.mean, self.deviation = targets.mean(axis=0), targets.std(axis=0)
        return self

    def predict(self, X):
        rng = np.random.default_rng(SEED + len(X))
        return self.mean + 0.1 * self.deviation * rng.standard_normal((len(X), len(self.mean)))


PEERS = {
    "knn-5": by_neighbors(5), "knn-256": by_neighbors(256), "clusters-25": Clusters, "ridge-1": lambda: Ridge(1.0), "random": Random,
}  # fmt: skip


class Table:
    """A data set's rows, those of train first."""

    def __init__(self, folder):
        self.folder = folder
        self.like = self.cross_fit(MODEL)
        info = json.loads((folder / "dataset.json").read_text())
        self.models = [model["name"] for model in info["models"]]
        self.pair = info["pair"] and [self.models.index(info["pair"][size]) for size in ("small", "large")]
        self.has_known_costs = info["cost-kind"] == "known"
        self.embedding = self.metadata(MODEL)[b"carrot.embedder"].decode()
        parts = [pq.read_table(folder / f"{part}.parquet") for part in ("train", "test")]
        embedded = [pq.read_table(folder / f"embeddings/{self.embedding}/{part}.parquet") for part in ("train", "test")]
        for rows in (parts, embedded):
            if [id for part in rows for id in part["id"].to_pylist()] != self.like["id"].to_pylist():
                sys.exit(f"compare_peers: the cross-fit of `{MODEL}` in `{folder}` is of other rows: run it again")
        self.X = np.vstack([np.stack(part["embedding"].to_numpy()) for part in embedded])
        self.scores, self.costs = (
            np.vstack([np.column_stack([part[f"{model}/{what}"].to_numpy() for model in self.models]) for part in parts]).astype(np.float64)
            for what in ("score", "cost_usd")
        )
        self.fold = self.like["fold"].to_numpy()

    def cross_fit(self, router):
        return pq.read_table(self.folder / f"cross-fit/{router}/0.parquet")

    def metadata(self, router):
        return pq.ParquetFile(self.folder / f"cross-fit/{router}/0.parquet").metadata.metadata

    def folds(self):
        """Rows to fit on and rows to predict."""
        return [(self.fold != fold, self.fold == fold) for fold in np.unique(self.fold)]

    def peer(self, make):
        known = np.hstack([self.scores, self.costs])
        found = np.empty_like(known)
        for train, test in self.folds():
            # A peer's library takes no NaN: unknown values are their column's mean.
            targets = np.where(np.isnan(known[train]), np.nanmean(known[train], axis=0), known[train])
            found[test] = make().fit(self.X[train], targets).predict(self.X[test])
        n_models = len(self.models)
        return found[:, :n_models], self.costs if self.has_known_costs else found[:, n_models:]

    def pair_router(self, router):
        """A pair router as one that predicts scores and costs: of LLMs that it does not know, such scores that it takes none of them."""
        small, large = self.pair
        wins = self.cross_fit(router)["small_win_probability"].to_numpy()
        scores, costs = np.full(self.scores.shape, NEVER), np.empty_like(self.costs)
        for train, test in self.folds():
            apart = self.scores[train, small] - self.scores[train, large]
            known = ~np.isnan(apart)
            line = IsotonicRegression(out_of_bounds="clip").fit(wins[train][known], apart[known])
            scores[test, large] = np.nanmean(self.scores[train, large])
            scores[test, small] = scores[test, large] + line.predict(wins[test])
            costs[test] = np.nanmean(self.costs[train], axis=0)
        return scores, self.costs if self.has_known_costs else costs

    def write(self, peer, predicted):
        """Into the folder where `plots` looks, in the form of train-and-infer."""
        scores, costs = predicted
        columns = {"id": self.like["id"], "fold": self.like["fold"]}
        for at, model in enumerate(self.models):
            columns[f"{model}/score"] = pa.array(scores[:, at].astype(np.float32), from_pandas=True)
            columns[f"{model}/cost_usd"] = pa.array(costs[:, at], from_pandas=True)
            columns[f"{model}/output_tokens"] = pa.nulls(len(scores), pa.float32())
        kept = {key: value for key, value in self.metadata(MODEL).items() if key.startswith(b"carrot.")}
        schema = self.like.schema.with_metadata({**kept, b"carrot.router": peer.encode(), b"carrot.made-by": b"compare_peers.py"})
        folder = self.folder / "cross-fit" / peer
        folder.mkdir(exist_ok=True)
        pq.write_table(pa.table([columns[name] for name in self.like.column_names], schema=schema), folder / "0.parquet")


def fit(table):
    for name, make in PEERS.items():
        table.write(name, table.peer(make))
        print(f"compare_peers: {table.folder.name}: {name}", file=sys.stderr, flush=True)
    for router in PAIR_ROUTERS:
        if table.pair and (table.folder / f"cross-fit/{router}/0.parquet").is_file():
            table.write(f"{router}-by-worth", table.pair_router(router))


def rows_of(path):
    with path.open() as file:
        return [row for row in csv.DictReader(file) if row["metric"] == "mean_gain"]


def shown(table, plots_dir):
    """The table for readers."""
    folder = plots_dir / table.folder.name
    gains = rows_of(folder / "metrics_table.csv")
    less = {}
    for row in rows_of(folder / "metrics_differences.csv"):
        pair, sign = (row["router"], row["reference"]), -1
        if REFERENCE == pair[0]:
            pair, sign = pair[::-1], 1
        if REFERENCE == pair[1]:
            ends = sorted(sign * float(row[end]) for end in ("low", "high"))
            less[pair[0]] = [*interval(sign * float(row["difference"]), *ends), p_of(row)]
    pair = ""
    if table.pair:
        small, large = (table.models[at] for at in table.pair)
        pair = f"; the pair is `{small}` and `{large}`"
    lines = [
        f"### {table.folder.name}: {len(table.X):,} prompts, {len(table.models)} LLMs, `{table.embedding}`{pair}", "",
        "| router | gain, points | 95% | p, Holm | carrot-blend gains more by | 95% | p, Holm |", "|---|---|---|---|---|---|---|",
    ]  # fmt: skip
    for row in sorted(gains, key=lambda row: -float(row["estimate"])):
        cells = [row["router"], *interval(*(float(row[name]) for name in ("estimate", "low", "high"))), p_of(row)]
        lines.append(f"| {' | '.join(cells + less.get(row['router'], ['', '', '']))} |")
    return "\n".join(lines) + "\n"


def interval(estimate, low, high):
    return [f"{100 * estimate:+.2f}", f"[{100 * low:+.2f}, {100 * high:+.2f}]"]


def p_of(row):
    p = float(row["p_holm"])
    return "<.0001" if p < 1e-4 else "1" if p >= 0.99995 else f"{p:.4f}".lstrip("0")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data_sets", nargs="+", type=Path, metavar="FOLDER", help="data sets with a cross-fit of carrot-knn, and its predictions")
    parser.add_argument("--plots", nargs="+", default=["cargo", "run", "-q", "-p", "plots", "--"], metavar="WORD", help="the program `plots`")
    parser.add_argument("--plots-dir", type=Path, default=Path("plots"))
    parser.add_argument("--only-show", action="store_true", help="nothing is fitted or judged again")
    parser.add_argument("--output", type=Path, help="also write the tables here")
    args = parser.parse_args()
    written = []
    for folder in args.data_sets:
        table = Table(folder)
        if not args.only_show:
            fit(table)
            words = ["--data-dir", folder.parent, "--plots-dir", args.plots_dir, "--dataset", folder.name, "--figure", "metrics_table"]
            subprocess.run([*args.plots, *words], check=True)
        written.append(shown(table, args.plots_dir))
        print(written[-1], flush=True)
        if args.output:
            args.output.write_text("\n".join(written))


main()
