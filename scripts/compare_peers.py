#!/usr/bin/env python3
"""The routers here beside peers that can be re-implemented in a few lines, on the same folds and the same embeddings.

    pip install crates/carrot-py scikit-learn==1.9.1
    scripts/compare_peers.py --embedder minilm data/zeroeval data/mmlu-pro      prints a table for each data set, and writes Markdown with --output

All rows of both parts are dealt to five folds, rows of one prompt together, and each fold is predicted by what was fitted on the others; whatever a router
tunes, it tunes inside those. Costs are the table's dollars. The number is `gain(v)`, the utility of a router's choices less that of the best single LLM
of the rows that it was fitted on, as a score in points, averaged over a grid of worths, with a 95% interval (docs/worth.md); p is for a gain above 0,
and for a difference to carrot-blend, each corrected by Holm over all routers of a data set.

Peers, as their authors have them where no number is given:
  knn-5, knn-40    scikit-learn's KNeighborsRegressor by cosine with a fixed k, for scores and for costs
  clusters-64      the Avengers' form: k-means, and the means of the nearest cluster
  ridge-1          R2-Router's form: ridge regression with alpha 1 on embeddings as they are
  random           predictions that know nothing: a router that gains by these is too good to be true
Routers of a pair (RouteLLM's MF and BERT form, RoRF) choose between two LLMs by a threshold and predict no costs: their gain is not this number.
`plots --figure metrics_table` has them on the same folds by train-and-infer --cross-fit 5.
"""

import argparse
import sys
from pathlib import Path

import numpy as np
from sklearn.cluster import KMeans
from sklearn.linear_model import Ridge
from sklearn.neighbors import KNeighborsRegressor

import carrot_router
from carrot_router import CarrotBlend, CarrotCluster, CarrotKernel, CarrotKNN, CarrotLinear, folds, holm, judge, read_split

SEED = 42
REFERENCE = "carrot-blend"


class Peer:
    """Means of known values where some are missing: a peer's library takes no NaN."""

    def fit(self, X, scores, costs):
        targets = np.hstack([scores, costs]).astype(np.float64)
        means = np.nanmean(targets, axis=0)
        self.n_models = scores.shape[1]
        self.learn(X, np.where(np.isnan(targets), means, targets))
        return self

    def predict_both(self, X):
        found = self.ask(X)
        return found[:, : self.n_models].astype(np.float32), found[:, self.n_models :]


class Library(Peer):
    def __init__(self, make):
        self.make = make

    def learn(self, X, targets):
        # Dollars are so small that a penalty or a distance would not see them.
        self.mean, self.scale = targets.mean(axis=0), np.where(targets.std(axis=0) > 0, targets.std(axis=0), 1)
        self.model = self.make().fit(X, (targets - self.mean) / self.scale)

    def ask(self, X):
        return self.model.predict(X) * self.scale + self.mean


class Clusters(Peer):
    def learn(self, X, targets):
        self.model = KMeans(64, random_state=SEED, n_init=1).fit(X)
        overall = targets.mean(axis=0)
        self.means = np.array([targets[self.model.labels_ == c].mean(axis=0) if (self.model.labels_ == c).any() else overall for c in range(64)])

    def ask(self, X):
        return self.means[self.model.predict(X)]


class Random(Peer):
    def learn(self, X, targets):
        self.mean, self.deviation = targets.mean(axis=0), targets.std(axis=0)

    def ask(self, X):
        rng = np.random.default_rng(SEED + len(X))
        return self.mean + 0.1 * self.deviation * rng.standard_normal((len(X), len(self.mean)))


ROUTERS = {
    "carrot-blend": CarrotBlend, "carrot-knn": CarrotKNN, "carrot-linear": CarrotLinear, "carrot-kernel": CarrotKernel, "carrot-cluster": CarrotCluster,
    "knn-5": lambda: Library(lambda: KNeighborsRegressor(5, metric="cosine")),
    "knn-40": lambda: Library(lambda: KNeighborsRegressor(40, metric="cosine")),
    "clusters-64": Clusters, "ridge-1": lambda: Library(lambda: Ridge(1.0)), "random": Random,
}  # fmt: skip


def out_of_fold(make, X, scores, costs, at, groups):
    predicted = np.empty(scores.shape, np.float32), np.empty(costs.shape)
    for fold in np.unique(at):
        train, test = at != fold, at == fold
        router = make()
        if isinstance(router, Peer):
            router.fit(X[train], scores[train], costs[train])
        else:
            router.fit(X[train], scores[train], costs[train], groups=groups[train])
        predicted[0][test], predicted[1][test] = router.predict_both(X[test])
    return predicted


def p_of(differences, groups, inflation):
    """Two-sided, of a mean of paired differences over groups, with the allowance for folds."""
    known = ~np.isnan(differences)
    values, labels = differences[known], np.unique(groups[known], return_inverse=True)[1]
    n, n_groups = len(values), labels.max() + 1
    sums = np.bincount(labels, weights=values - values.mean())
    error = inflation * np.sqrt(n_groups / (n_groups - 1) * np.sum(sums**2)) / n
    from math import erfc, sqrt

    return erfc(abs(values.mean()) / error / sqrt(2)) if error > 0 else 1.0


def compare(folder, embedder, only):
    split = read_split(folder)
    parts = [split.train, split.test]
    X = np.concatenate([part.embeddings(embedder) for part in parts])
    scores, costs = (np.concatenate([getattr(part, name) for part in parts]) for name in ("scores", "costs"))
    prompts = [prompt for part in parts for prompt in part.prompts]
    groups = np.unique(prompts, return_inverse=True)[1]
    at = folds(len(X), 5, seed=SEED, groups=groups)
    # docs of evaluation::worth::folds_inflation, for 5 folds.
    inflation = np.sqrt(1 + 4 * 2 / (np.pi * np.sqrt(7)))
    found = {}
    for name, make in ROUTERS.items():
        if not only or name in only:
            found[name] = judge(scores, costs, out_of_fold(make, X, scores, costs, at, groups), at, groups=groups)
            print(f"{split.name}: {name:<14} {found[name]}", file=sys.stderr, flush=True)
    p = holm([worth.p_gain for worth in found.values()])
    reference = found.get(REFERENCE)
    of_differences = [
        np.nan if reference is None or name == REFERENCE else p_of(worth.prompt_gains - reference.prompt_gains, groups, inflation)
        for name, worth in found.items()
    ]
    of_differences = holm(of_differences)
    lines = [
        f"### {split.name}: {len(X):,} prompts, {len(split.models)} LLMs, `{embedder}`", "",
        "| router | gain, points | 95% | p, Holm | less than carrot-blend, points | p, Holm |", "|---|---|---|---|---|---|",
    ]  # fmt: skip
    order = sorted(range(len(found)), key=lambda i: -list(found.values())[i].gain.estimate)
    for i in order:
        name, worth = list(found.items())[i]
        less = "" if reference is None or name == REFERENCE else f"{100 * (reference.gain.estimate - worth.gain.estimate):+.2f}"
        of_less = "" if np.isnan(of_differences[i]) else shown(of_differences[i])
        low, high = 100 * worth.gain.low, 100 * worth.gain.high
        lines.append(f"| {name} | {100 * worth.gain.estimate:+.2f} | [{low:+.2f}, {high:+.2f}] | {shown(p[i])} | {less} | {of_less} |")
    return "\n".join(lines) + "\n"


def shown(p):
    return "<0.0001" if p < 1e-4 else f"{p:.4f}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data_sets", nargs="+", type=Path, metavar="FOLDER", help="data sets with embeddings, as train-and-infer leaves them")
    parser.add_argument("--embedder", default="minilm")
    parser.add_argument("--only", nargs="+", choices=ROUTERS, help="these routers")
    parser.add_argument("--output", type=Path, help="also write the tables here")
    args = parser.parse_args()
    tables = [compare(folder, args.embedder, args.only) for folder in args.data_sets]
    print("\n".join(tables))
    if args.output:
        args.output.write_text("\n".join(tables))


if __name__ == "__main__":
    print(f"carrot_router {carrot_router.__version__}", file=sys.stderr)
    main()
