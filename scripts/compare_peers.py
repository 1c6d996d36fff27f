#!/usr/bin/env python3
"""Every router here beside the field's re-implemented ones, by what routing gains, on the same folds and the same embeddings.

    pip install crates/carrot-py scikit-learn==1.9.1
    cargo run -p train-and-infer -- --dataset zeroeval --embedding minilm --cross-fit 5 --routers carrot-blend carrot-knn mf rorf
    scripts/compare_peers.py --embedding minilm data/zeroeval data/mmlu-pro      prints a table for each data set, Markdown with --output FILE

Routers of train-and-infer are read from its out-of-fold predictions (--cross-fit 5); peers are fitted here on the same folds: all rows of both parts, equal
prompts in one fold, each fold predicted by what was fitted on the four others. Whatever a router tunes, it tunes inside those.

The number is `gain(v)` (docs/worth.md): the utility of a router's choices less that of the best single LLM of the rows that it was fitted on, as a
score in points, averaged over a grid of worths, with a 95% interval. p of a gain is one-sided, for a gain above 0; p of a difference to carrot-blend is
two-sided. Each is corrected by Holm (1979) over the routers of a data set.

Peers, re-implemented with the numbers of their authors' code:
  knn-5, knn-256   scikit-learn's KNeighborsRegressor by cosine with a fixed k: 5 as in ulab-uiuc/LLMRouter's configurations, 256 as what UCF-ML-Research/R2-Router
                   calls CARROT-KNN
  clusters-25      Avengers-Pro's form (baselines/AvengersPro of ynulihao/LLMRouterBench at 0e267fb): 25 clusters of unit vectors by k-means, and of the three
                   nearest the means, weighted by exp(-9 x cosine distance). Theirs are means of ranks, or of accuracies scaled within a cluster
  ridge-1          R2-Router's form: ridge regression with alpha 1. Its budgets of answer lengths need answers of every length, which no table here has
  mf, rorf         RouteLLM's matrix factorization and Not-Diamond's forest, as train-and-infer has them: they choose between the data set's pair, by the
                   threshold that is best at each worth on one half of the rows, judged on the other half
  random           predictions that know nothing: a measure by which it gains is too good to be true
RouteLLM's BERT form is train-and-infer's `roberta-binary`, and is compared where it was cross-fitted, which needs a GPU.
Costs: known before a call, they are what everybody is told; otherwise peers predict dollars as they predict scores.
"""

import argparse
import sys
from pathlib import Path

import numpy as np
from sklearn.cluster import KMeans
from sklearn.linear_model import Ridge
from sklearn.neighbors import KNeighborsRegressor
from sklearn.preprocessing import normalize

import carrot_router
from carrot_router import CarrotError, difference, folds, holm, judge, judge_pair, read_split

SEED = 42
N_FOLDS = 5
REFERENCE = "carrot-blend"
OURS = ["carrot-blend", "carrot-knn", "carrot-linear", "carrot-kernel", "carrot-cluster", "carrot-roberta", "mf", "rorf", "roberta-binary"]


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

    def __init__(self, folder, embedding):
        self.split = read_split(folder)
        parts = [self.split.train, self.split.test]
        self.X = np.concatenate([part.embeddings(embedding) for part in parts])
        self.scores, self.costs = (np.concatenate([getattr(part, name) for part in parts]) for name in ("scores", "costs"))
        prompts = [prompt for part in parts for prompt in part.prompts]
        self.groups = np.unique(prompts, return_inverse=True)[1]
        self.folds = folds(len(self.X), N_FOLDS, seed=SEED, groups=self.groups)

    def ours(self, name):
        """What is said of a router of train-and-infer; None where it was not cross-fitted."""
        try:
            at, predicted = self.split.out_of_fold(name)
        except CarrotError as error:
            print(f"{self.split.name}: left out {name}: {error}", file=sys.stderr)
            return None
        if not (at == self.folds).all():
            sys.exit(f"compare_peers: `{name}` was cross-fitted on other folds than the {N_FOLDS} of seed {SEED}")
        if isinstance(predicted, tuple):
            return judge(self.scores, self.costs, predicted, at, groups=self.groups)
        return judge_pair(self.scores, self.costs, predicted, self.split.pair, at, groups=self.groups)

    def peer(self, make):
        # A peer's library takes no NaN: unknown values are their column's mean, which says nothing of a prompt.
        known = np.hstack([self.scores, self.costs]).astype(np.float64)
        found = np.empty_like(known)
        for fold in range(N_FOLDS):
            train, test = self.folds != fold, self.folds == fold
            targets = np.where(np.isnan(known[train]), np.nanmean(known[train], axis=0), known[train])
            found[test] = make().fit(self.X[train], targets).predict(self.X[test])
        n_models = self.scores.shape[1]
        costs = self.costs if self.split.has_known_costs else found[:, n_models:]
        return judge(self.scores, self.costs, (found[:, :n_models], costs), self.folds, groups=self.groups)


def compare(folder, embedding):
    table = Table(folder, embedding)
    found = {name: table.ours(name) for name in OURS}
    found = {name: worth for name, worth in found.items() if worth is not None}
    for name, make in PEERS.items():
        found[name] = table.peer(make)
    for name, worth in found.items():
        print(f"{table.split.name}: {name:<14} {worth}", file=sys.stderr, flush=True)
    p = dict(zip(found, holm([worth.p_gain for worth in found.values()])))
    others = [name for name in found if name != REFERENCE and REFERENCE in found]
    apart = {name: difference(found[REFERENCE], found[name]) for name in others}
    p_apart = dict(zip(others, holm([it.p for it in apart.values()])))
    pair = ""
    if table.split.pair:
        small, large = (table.split.models[at] for at in table.split.pair)
        pair = f"; the pair is `{small}` and `{large}`"
    lines = [
        f"### {table.split.name}: {len(table.X):,} prompts, {len(table.split.models)} LLMs, `{embedding}`{pair}", "",
        "| router | gain, points | 95% | p, Holm | carrot-blend gains more by | 95% | p, Holm |", "|---|---|---|---|---|---|---|",
    ]  # fmt: skip
    for name, worth in sorted(found.items(), key=lambda item: -item[1].gain.estimate):
        row = [name, *interval(worth.gain), shown(p[name])]
        row += [*interval(apart[name].gain), shown(p_apart[name])] if name in apart else ["", "", ""]
        lines.append(f"| {' | '.join(row)} |")
    return "\n".join(lines) + "\n"


def interval(it):
    return f"{100 * it.estimate:+.2f}", f"[{100 * it.low:+.2f}, {100 * it.high:+.2f}]"


def shown(p):
    return "<.0001" if p < 1e-4 else f"{p:.4f}".lstrip("0") if p < 1 else "1"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data_sets", nargs="+", type=Path, metavar="FOLDER", help="data sets with embeddings and cross-fits of train-and-infer")
    parser.add_argument("--embedding", default="minilm", help="the one that the cross-fits have")
    parser.add_argument("--output", type=Path, help="also write the tables here")
    args = parser.parse_args()
    print(f"compare_peers: carrot_router {carrot_router.__version__}", file=sys.stderr)
    tables = []
    for folder in args.data_sets:
        tables.append(compare(folder, args.embedding))
        print(tables[-1], flush=True)
        if args.output:
            args.output.write_text("\n".join(tables))


main()
