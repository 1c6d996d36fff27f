#!/usr/bin/env python3
"""carrot-blend side by side: tuned and fitted by scikit-learn and by ours, on the same made-up table, in one run.

    pip install -r scripts/requirements-bench.txt
    scripts/bench_blend.py                        14,234 x 384 with 18 LLMs: both, three times by turns; medians count
    scripts/bench_blend.py --n 2000 --runs 1      a quick look

Ours is the example `blend_bench` of the crate `routers`, built with the profile that `cargo run` uses. scikit-learn does the same recipe, with the same
grids and the same number of shuffled folds, as one would write it who minds the time: neighbors are searched once for each fold and serve all k;
Ridge is fitted for scores and costs at once; the features of Nystroem are computed once for each gamma and fold; KMeans runs once for each
number of clusters. Then non-negative least squares (scipy) for the weights, the rule for g, and the final fits. All cores for both.

Agreement: predictions of ridge and of Nystroem with the same landmarks and the chosen hyperparameters differ by at most 1e-6, relative to values above 1.
Ends with 1 if ours takes more than 60 s, is less than 5 times as fast, or does not agree.
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

# Some machines hold OpenBLAS back to an old processor; a fair reference uses what this one has.
for name in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"):
    os.environ.pop(name, None)

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
KS = [2, 4, 8, 16, 32, 64, 128, 256, 512]
LINEAR_ALPHAS = [300.0, 100.0, 30.0, 10.0, 3.0, 1.0]
GAMMAS = [0.5, 1.0, 2.0]
KERNEL_ALPHAS = [30.0, 10.0, 3.0, 1.0, 0.3, 0.1]
N_CLUSTERS = [8, 16, 32, 64, 128]
N_LANDMARKS, N_FOLDS, PRIOR_ROWS = 800, 4, 5.0
SCALES = [0.125, 0.25, 0.5, 0.75, 1.0, 1.25]
TOLERANCE = 1e-6


def make_table(n_rows, dim, n_models):
    """Embeddings around 200 topics; scores and costs depend on the topic, the LLM and chance."""
    rng = np.random.default_rng(0)
    topics = rng.standard_normal((200, dim)).astype(np.float32)
    topic = rng.integers(200, size=n_rows)
    embeddings = topics[topic] + 1.5 * rng.standard_normal((n_rows, dim), dtype=np.float32)
    embeddings /= np.linalg.norm(embeddings, axis=1, keepdims=True)
    ability = rng.uniform(0.2, 0.9, (200, n_models))
    scores = (rng.uniform(size=(n_rows, n_models)) < ability[topic]).astype(np.float32)
    costs = 1e-4 * np.arange(1, n_models + 1) * rng.uniform(0.5, 2.0, (200, n_models))[topic]
    return embeddings, scores, costs


def build_example():
    command = ["cargo", "build", "-p", "routers", "--example", "blend_bench", "--message-format", "json"]
    lines = subprocess.run(command, check=True, cwd=ROOT, stdout=subprocess.PIPE, text=True).stdout.splitlines()
    artifacts = [message for message in map(json.loads, lines) if message["reason"] == "compiler-artifact"]
    return next(artifact["executable"] for artifact in artifacts if artifact["target"]["name"] == "blend_bench")


def run_ours(example, folder, dim, n_models):
    command = [example, str(folder), str(dim), str(n_models)]
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)


def difference_error(truth, predicted):
    error = predicted - truth
    return np.mean((error - error.mean(axis=1, keepdims=True)) ** 2)


def out_of_fold_knn(rows, targets, folds):
    from sklearn.neighbors import NearestNeighbors

    found = {k: np.empty_like(targets) for k in KS}
    for train, test in folds:
        index = NearestNeighbors(n_neighbors=KS[-1], metric="cosine", algorithm="brute").fit(rows[train])
        nearest = index.kneighbors(rows[test], return_distance=False)
        sums, start = np.zeros((len(test), targets.shape[1])), 0
        for k in KS:
            sums += targets[train][nearest[:, start:k]].sum(axis=1)
            found[k][test] = sums / k
            start = k
    return found


def out_of_fold_ridge(features_of, targets, folds, alphas):
    from sklearn.linear_model import Ridge

    found = {alpha: np.empty_like(targets) for alpha in alphas}
    for fold, (train, test) in enumerate(folds):
        features = features_of(fold)
        for alpha in alphas:
            found[alpha][test] = Ridge(alpha=alpha).fit(features[train], targets[train]).predict(features[test])
    return found


def cluster_values(clusters, k, targets):
    """Means of each cluster, drawn to the overall mean."""
    mean, values = targets.mean(axis=0), np.empty((k, targets.shape[1]))
    for cluster in range(k):
        members = targets[clusters == cluster]
        values[cluster] = (members.sum(axis=0) + PRIOR_ROWS * mean) / (len(members) + PRIOR_ROWS)
    return values


def out_of_fold_clusters(clusterings, targets, folds):
    found = {}
    for k, clusters in clusterings.items():
        found[k] = np.empty_like(targets)
        for train, test in folds:
            found[k][test] = cluster_values(clusters[train], k, targets[train])[clusters[test]]
    return found


def run_sklearn(rows, scores, costs):
    from scipy.optimize import nnls
    from sklearn.cluster import KMeans
    from sklearn.kernel_approximation import Nystroem
    from sklearn.linear_model import Ridge
    from sklearn.model_selection import KFold
    from sklearn.neighbors import KNeighborsRegressor

    start = time.perf_counter()
    n_models = scores.shape[1]
    targets = np.hstack([scores, costs]).astype(np.float64)
    columns = {"score": slice(0, n_models), "cost": slice(n_models, None)}
    folds = list(KFold(N_FOLDS, shuffle=True, random_state=42).split(rows))
    wide = rows.astype(np.float64)
    maps = {gamma: Nystroem(gamma=gamma, n_components=N_LANDMARKS, random_state=42).fit(wide) for gamma in GAMMAS}
    features = {gamma: mapping.transform(wide) for gamma, mapping in maps.items()}
    clusterers = {k: KMeans(k, n_init=1, max_iter=100, random_state=42).fit(rows) for k in N_CLUSTERS}
    candidates = {
        "knn": out_of_fold_knn(rows, targets, folds),
        "linear": out_of_fold_ridge(lambda _: wide, targets, folds, LINEAR_ALPHAS),
        "kernel": {},
        "cluster": out_of_fold_clusters({k: it.labels_ for k, it in clusterers.items()}, targets, folds),
    }
    for gamma in GAMMAS:
        found = out_of_fold_ridge(lambda _: features[gamma], targets, folds, KERNEL_ALPHAS)
        candidates["kernel"].update({(gamma, alpha): predicted for alpha, predicted in found.items()})

    fold_of_row, means = np.empty(len(rows), int), np.empty((N_FOLDS, targets.shape[1]))
    for fold, (train, test) in enumerate(folds):
        fold_of_row[test] = fold
        means[fold] = targets[train].mean(axis=0)
    means = means[fold_of_row]
    def stack(of_target, settings):
        """Differences between LLMs and their mean, of the learners with these settings, as least squares weigh them."""
        truth, mean = targets[:, of_target], means[:, of_target]
        parts = [candidates[learner][key][:, of_target] - mean for learner, key in settings.items()]
        centred = [part - part.mean(axis=1, keepdims=True) for part in parts]
        wanted = truth - mean
        level = wanted.mean(axis=1)
        w, _ = nnls(np.column_stack([part.ravel() for part in centred]), (wanted - level[:, None]).ravel())
        u, _ = nnls(np.column_stack([part.mean(axis=1) for part in parts]), level)
        return sum(weight * part for weight, part in zip(w, centred)), sum(weight * part.mean(axis=1) for weight, part in zip(u, parts))

    chosen, stacks = {}, {}
    for target, of_target in columns.items():
        truth = targets[:, of_target]
        chosen[target] = {learner: min(found, key=lambda key: difference_error(truth, found[key][:, of_target]))
                          for learner, found in candidates.items()}
        stacks[target] = stack(of_target, chosen[target])
    gamma, _ = chosen["score"]["kernel"]
    smoothest = {"knn": KS[-1], "linear": LINEAR_ALPHAS[0], "kernel": (gamma, KERNEL_ALPHAS[0]), "cluster": N_CLUSTERS[0]}

    mean_costs = costs.mean(axis=0)
    worths = (mean_costs.max() - mean_costs.min()) * 200 ** (np.arange(25) / 24)
    score_means, cost_means = means[:, columns["score"]], means[:, columns["cost"]]
    cost_deviations, cost_levels = stacks["cost"]
    gains, each = {}, np.arange(len(rows))
    # The level is the same for all LLMs of a row, so no choice depends on it.
    for candidate, deviations in (("least error", stacks["score"][0]), ("smoothest", stack(columns["score"], smoothest)[0])):
        for scale in SCALES:
            score = score_means + scale * deviations
            cost = cost_means + cost_levels[:, None] + scale * cost_deviations
            gain = np.zeros(len(rows))
            for worth in worths:
                utility = scores - costs / worth
                routed = utility[each, np.argmax(score - cost / worth, axis=1)]
                gain += (routed - utility[each, np.argmax(score_means - cost_means / worth, axis=1)]) / len(worths)
            gains[candidate, scale] = (gain.mean() - gain.std() / np.sqrt(len(rows)), gain.mean())
    (taken, _), _ = max(gains.items(), key=lambda item: item[1])
    gains = {scale: gains["least error", scale][1] for scale in SCALES}
    if taken == "smoothest":
        chosen["score"] = smoothest

    for target, of_target in columns.items():
        truth, settings = targets[:, of_target], chosen[target]
        KNeighborsRegressor(settings["knn"], metric="cosine").fit(rows, truth)
        Ridge(alpha=settings["linear"]).fit(wide, truth)
        gamma, alpha = settings["kernel"]
        Ridge(alpha=alpha).fit(features[gamma], truth)
        cluster_values(clusterers[settings["cluster"]].labels_, settings["cluster"], truth)
    return time.perf_counter() - start, chosen, gains


def largest_differences(folder, train, test, scores, costs):
    """Of ridge and Nystroem, fitted by scikit-learn with our landmarks and settings, for the test rows; relative where values exceed 1."""
    from sklearn.linear_model import Ridge
    from sklearn.metrics.pairwise import rbf_kernel

    dim, n_models = train.shape[1], scores.shape[1]
    fits = json.loads((folder / "fits.json").read_text())
    landmarks = np.fromfile(folder / "landmarks.f32", "<f4").reshape(-1, dim).astype(np.float64)
    units = [part.astype(np.float64) for part in (train, test)]
    units = [(part / np.linalg.norm(part, axis=1, keepdims=True)).astype(np.float32).astype(np.float64) for part in units]
    worst = {}
    for learner in ("linear", "kernel"):
        for target, fit in zip((("score", scores), ("cost", costs)), fits[learner]):
            name, truth = target
            features = units
            if learner == "kernel":
                values, vectors = np.linalg.eigh(rbf_kernel(landmarks, gamma=fit["gamma"]))
                root = vectors / np.sqrt(np.maximum(values, 1e-12))
                features = [rbf_kernel(part, landmarks, gamma=fit["gamma"]) @ root for part in units]
            theirs = Ridge(alpha=fit["alpha"]).fit(features[0], truth.astype(np.float32).astype(np.float64)).predict(features[1])
            ours = np.fromfile(folder / f"{learner}-{name}.f32", "<f4").reshape(-1, n_models)
            worst[learner, name] = float(np.max(np.abs(ours - theirs) / np.maximum(1.0, np.abs(theirs))))
    return worst


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--n", type=int, default=14_234, help="train rows")
    parser.add_argument("--dim", type=int, default=384)
    parser.add_argument("--models", type=int, default=18)
    parser.add_argument("--runs", type=int, default=3, help="runs of either side; the median counts")
    args = parser.parse_args()

    n_test = args.n // 5
    whole = make_table(args.n + n_test, args.dim, args.models)
    (train, scores, costs), (test, *_) = ([part[rows] for part in whole] for rows in (slice(args.n), slice(args.n, None)))
    example = build_example()
    runs = {"ours": [], "scikit-learn": []}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        train.astype("<f4").tofile(folder / "train.f32")
        test.astype("<f4").tofile(folder / "test.f32")
        scores.astype("<f4").tofile(folder / "scores.f32")
        costs.astype("<f8").tofile(folder / "costs.f64")
        for _ in range(args.runs):
            ours = run_ours(example, folder, args.dim, args.models)
            runs["ours"].append(ours["total"])
            seconds, chosen, gains = run_sklearn(train, scores, costs)
            runs["scikit-learn"].append(seconds)
        worst = largest_differences(folder, train, test, scores, costs)

    medians = {who: statistics.median(seconds) for who, seconds in runs.items()}
    print(f"{args.n} x {args.dim}, {args.models} LLMs, {os.cpu_count()} cores, median of {args.runs}")
    for who, seconds in runs.items():
        print(f"{who:13} tune and fit {medians[who]:8.2f} s   ({' '.join(f'{it:.2f}' for it in seconds)})")
    ratio = medians["scikit-learn"] / medians["ours"]
    print(f"ratio         {ratio:.1f}")
    report = ours["report"]
    for target in report["targets"]:
        settings = [json.dumps(learner["setting"]) for learner in target["learners"]]
        print(f"{target['target']}: ours {' '.join(settings)}; scikit-learn {chosen[target['target']]}")
    found = {it["scale"]: it["gain"] for it in report["gains"]}
    print("gain at each g, ours and scikit-learn's (other folds, landmarks and centroids): "
          + ", ".join(f"{scale}: {found[scale]:.4f} {gains[scale]:.4f}" for scale in SCALES))
    for (learner, target), difference in worst.items():
        print(f"{learner}, {target}: largest difference {difference:.1e}")

    failures = []
    if medians["ours"] > 60:
        failures.append(f"ours takes {medians['ours']:.1f} s, expected at most 60 s")
    if ratio < 5:
        failures.append(f"ours is {ratio:.1f} times as fast, expected at least 5")
    failures += [f"{learner} of {target} differs by {difference:.1e}" for (learner, target), difference in worst.items()
                 if difference > TOLERANCE]
    for failure in failures:
        print("FAILED", failure)
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
