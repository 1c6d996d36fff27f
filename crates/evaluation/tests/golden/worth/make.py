"""Writes table.json beside this file: a small table, its gains at each worth, and cross-fitted areas of three routers, computed with NumPy.

Made with Python 3.11 and numpy 2.2.2:

    pip install numpy==2.2.2
    python make.py

Nothing here is clever: utilities are tried LLM by LLM, lambdas one by one between all crossings of all pairs of LLMs, hulls are maxima over all segments,
and areas are sums of trapezoids between all costs at which anything bends. 48 prompts and 4 LLMs; a tenth of the true scores is unknown where `holes`
says so. Scores come in quarters and predictions in eighths, so that prompts tie; all of these are exact as float32.
"""

import json
from pathlib import Path

import numpy as np

N_PROMPTS, N_MODELS, N_FOLDS, N_REPEATS = 48, 4, 3, 2
SMALL, LARGE = 1, 3
WORTHS = [0.003, 0.01, 0.05, 0.5, np.inf]

rng = np.random.RandomState(11)
ability = np.array([0.55, 0.5, 0.6, 0.65])
expected = np.clip(ability + rng.uniform(-0.3, 0.3, (N_PROMPTS, 1)) + 0.2 * rng.randn(N_PROMPTS, N_MODELS), 0, 1)
scores = np.round(np.clip(expected + 0.3 * rng.randn(N_PROMPTS, N_MODELS), 0, 1) * 4) / 4
cost = rng.gamma(3.0, [0.0001, 0.0003, 0.001, 0.002], (N_PROMPTS, N_MODELS))
predicted = [np.round(np.clip(expected + 0.15 * rng.randn(N_PROMPTS, N_MODELS), 0, 1) * 8) / 8 for _ in range(N_REPEATS)]
predicted_cost = [cost * rng.uniform(0.5, 1.5, cost.shape) for _ in range(N_REPEATS)]
folds = [(rng.permutation(N_PROMPTS) % N_FOLDS).tolist() for _ in range(N_REPEATS)]
holes = np.where(rng.uniform(size=scores.shape) < 0.1, np.nan, scores)
assert not np.isnan(holes).all(axis=1).any()
probability = np.round(np.clip(0.5 + 0.3 * (scores[:, SMALL] - scores[:, LARGE]) + 0.3 * rng.randn(N_PROMPTS), 0, 1) * 16) / 16
halves = (rng.permutation(N_PROMPTS) % 2).tolist()


def gains_of(truth):
    """(prompts, worths), the mean over repeats of each prompt's part in the gain. A score stands for 1 / the LLM's share of known scores."""
    weights = np.where(np.isfinite(truth), 1 / np.isfinite(truth).mean(axis=0), 0)
    found = np.zeros((N_PROMPTS, len(WORTHS)))
    for repeat in range(N_REPEATS):
        fold = np.array(folds[repeat])
        for w, v in enumerate(WORTHS):
            chosen, constant = np.zeros(N_PROMPTS, int), np.zeros(N_PROMPTS, int)
            for i in range(N_PROMPTS):
                others = fold != fold[i]
                constant[i] = np.argmax(np.nanmean(truth[others], axis=0) - cost[others].mean(axis=0) / v)
                chosen[i] = np.argmax(predicted[repeat][i] - predicted_cost[repeat][i] / v)
            rows = np.arange(N_PROMPTS)
            routed = truth[rows, chosen] - cost[rows, chosen] / v
            without = truth[rows, constant] - cost[rows, constant] / v
            differs = chosen != constant
            part = np.zeros(N_PROMPTS)
            weight_a, weight_b = weights[rows, chosen][differs], weights[rows, constant][differs]
            a, b = (np.nansum(w * u[differs]) / w.sum() for w, u in ((weight_a, routed), (weight_b, without)))
            deviation_a = np.nan_to_num(weight_a * (routed[differs] - a) / weight_a.mean())
            part[differs] = a - b + deviation_a - np.nan_to_num(weight_b * (without[differs] - b) / weight_b.mean())
            found[:, w] += part / N_REPEATS
    return found


def choices_by_setting(i_rows, kind):
    """Who answers each of the rows, for every setting that any prompt of the table distinguishes, from dear to cheap."""
    if kind == "pair":
        thresholds = [np.inf, *sorted(set(probability.tolist()), reverse=True)]
        return [np.where(probability[i_rows] >= t, SMALL, LARGE) for t in thresholds]
    s, c = predicted[0], predicted_cost[0]
    crossings = set()
    for a in range(N_MODELS):
        for b in range(N_MODELS):
            with np.errstate(divide="ignore", invalid="ignore"):
                mu = (s[:, a] - s[:, b]) / (c[:, a] - c[:, b])
            crossings |= set(mu[np.isfinite(mu) & (mu >= 0)].tolist())
    crossings = sorted(crossings)
    between = [0.0, *[(a + b) / 2 for a, b in zip(crossings, crossings[1:])], crossings[-1] * 2]
    return [np.argmax(s[i_rows] - mu * c[i_rows], axis=1) for mu in between]


def points(rows, kind):
    if kind == "zero":
        return [(cost[rows, m].mean(), scores[rows, m].mean()) for m in range(N_MODELS)]
    return [(cost[rows, chosen].mean(), scores[rows, chosen].mean()) for chosen in choices_by_setting(rows, kind)]


def corners(pts):
    """Positions of the corners of the non-decreasing hull: the distinct points that no segment and no cheaper point lies on or above."""
    found = []
    for i, (c, a) in enumerate(pts):
        if any((x, y) != (c, a) and x <= c and y >= a for x, y in pts) or (c, a) in [pts[j] for j in found]:
            continue
        above = any(x < c < z and y + (w - y) * (c - x) / (z - x) >= a - 1e-13 for x, y in pts for z, w in pts)
        if not above:
            found.append(i)
    return found


def area(line, low, high):
    """Mean height: 0 before the first point, flat after the last."""
    line = sorted(line)
    bends = sorted({low, high, *[c for c, _ in line if low < c < high]})
    total = 0.0
    for a, b in zip(bends, bends[1:]):
        middle = (a + b) / 2
        if middle < line[0][0]:
            continue
        if middle > line[-1][0]:
            total += (b - a) * line[-1][1]
            continue
        for (x, y), (z, w) in zip(line, line[1:]):
            if x <= middle <= z:
                total += (b - a) * (y + (w - y) * (middle - x) / (z - x))
                break
    return total / (high - low)


def cross_fitted():
    everything = np.arange(N_PROMPTS)
    kinds = ["per_model", "pair", "zero"]
    costs = [c for kind in kinds for c, _ in points(everything, kind)]
    low, high = min(costs), max(costs)
    parts = [np.flatnonzero(np.array(halves) == half) for half in (0, 1)]
    found = {kind: np.zeros(2) for kind in kinds}
    for half in (0, 1):
        judged = {}
        for kind in kinds:
            there = points(parts[1 - half], kind)
            judged[kind] = sorted(there[i] for i in corners(points(parts[half], kind)))
        for kind in kinds:
            begin = max(low, judged[kind][0][0], judged["zero"][0][0])
            gain = area(judged[kind], begin, high) - area(judged["zero"], begin, high)
            found[kind] += np.array([area(judged[kind], low, high), gain]) / 2
    return {kind: values.tolist() for kind, values in found.items()}


def jsonable(array):
    return [[None if np.isnan(x) else x for x in row] for row in np.asarray(array).tolist()]


table = {
    "scores": jsonable(scores), "holes": jsonable(holes), "cost_usd": jsonable(cost), "folds": folds, "halves": halves,
    "predicted_scores": [jsonable(p) for p in predicted], "predicted_cost_usd": [jsonable(p) for p in predicted_cost],
    "small_win_probability": probability.tolist(), "small": SMALL, "large": LARGE, "worths": [None if np.isinf(v) else v for v in WORTHS],
    "gains": jsonable(gains_of(scores)), "gains_holes": jsonable(gains_of(holes)), "areas": cross_fitted(),
}
Path(__file__).with_name("table.json").write_text(json.dumps(table) + "\n")
print(table["areas"], np.mean(table["gains"]), np.mean(table["gains_holes"]))
