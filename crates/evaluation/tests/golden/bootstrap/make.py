"""Writes table.json beside this file: a small table, resamples of it, and every metric of four routers on each, computed with NumPy.

Made with Python 3.11 and numpy 2.2.2:

    pip install numpy==2.2.2
    python make.py

Nothing here is clever: a resample repeats its rows, lambdas are tried one by one between all crossings of all pairs of LLMs, hulls are
maxima over all segments, and areas are trapezoids between all costs at which anything bends. 30 prompts and 4 LLMs, so that some resamples
never reach the best single LLM's accuracy and some leave the pair no gap; a tenth of the true scores is unknown, and a known one stands for
1 / the LLM's share of known scores. Scores come in quarters and predictions in eighths, so that prompts tie.
"""

import json
from pathlib import Path

import numpy as np

N_PROMPTS, N_MODELS, N_RESAMPLES = 30, 4, 40
SMALL, LARGE = 1, 3
BENCHMARKS = ["x", "y", "z"]
BUDGET_RATIOS = [0.1, 0.3, 0.6]
GRID_STEPS, MULTIPLIER = 1000, 100.0
METRICS = [
    "aiq", "aiq_from_zero", "audc", "qnc", "qnc_normalized", "peak_accuracy", "cost_at_best_single_usd", "accuracy_at_best_single_cost",
    "gain_over_zero_router", "apgr", "cpt_20", "cpt_50", "cpt_80",
]

rng = np.random.RandomState(7)


def draw_table(n_prompts):
    ability = np.array([0.35, 0.5, 0.6, 0.7])
    difficulty = rng.uniform(-0.3, 0.3, (n_prompts, 1))
    expected = np.clip(ability + difficulty, 0, 1)
    scores = np.round(np.clip(expected + 0.4 * rng.randn(n_prompts, N_MODELS), 0, 1) * 4) / 4
    predicted = np.round(np.clip(expected + 0.15 * rng.randn(n_prompts, N_MODELS), 0, 1) * 8) / 8
    cost = rng.gamma(3.0, [0.0001, 0.0003, 0.001, 0.003], (n_prompts, N_MODELS))
    predicted_cost = cost * rng.uniform(0.5, 1.5, (n_prompts, N_MODELS))
    return scores, cost, predicted, predicted_cost


scores, cost, predicted, predicted_cost = draw_table(N_PROMPTS)
scores[rng.uniform(size=scores.shape) < 0.1] = np.nan
assert not np.isnan(scores).all(axis=1).any()
probability = np.round(np.clip(0.5 + 0.3 * (scores[:, SMALL] - scores[:, LARGE]) + 0.3 * rng.randn(N_PROMPTS), 0, 1) * 16) / 16
probability[np.isnan(probability)] = 0.5
# Of the whole table, also in its resamples.
WEIGHTS = 1 / (~np.isnan(scores)).mean(axis=0)


def route(scores, cost, predicted, predicted_cost, lam, multiplier):
    """Positions chosen by the rule, known or not."""
    return np.argmax((1 - lam) * predicted - lam * multiplier * predicted_cost, axis=1)


def mean_point(scores, cost, chosen):
    """Weighted means over the prompts whose choice is known; None where there are none."""
    rows = np.arange(len(chosen))
    known = ~np.isnan(scores[rows, chosen])
    if not known.any():
        return None
    weights = WEIGHTS[chosen][known]
    return tuple((weights * values[rows, chosen][known]).sum() / weights.sum() for values in (cost, scores))


def rule_points(scores, cost, predicted, predicted_cost):
    """All points of the routing curve, as a list of (cost, accuracy): one lambda on each side of, and between, all crossings."""
    mus = {0.0}
    for a in range(N_MODELS):
        for b in range(N_MODELS):
            saving = predicted_cost[:, a] - predicted_cost[:, b]
            crossing = (predicted[:, a] - predicted[:, b]) / saving if a != b else np.array([])
            mus |= set(crossing[crossing >= 0])
    mus = np.array(sorted(mus))
    between = np.concatenate([(mus[1:] + mus[:-1]) / 2, [mus[-1] + 1]])
    lambdas = [0.0] + list(between / (1 + between))
    points = [mean_point(scores, cost, route(scores, cost, predicted, predicted_cost, lam, 1.0)) for lam in lambdas]
    return np.array([point for point in points if point is not None])


def pair_points(scores, cost, probability):
    """(cost, accuracy, share of the large LLM) for all thresholds."""
    points = []
    for alpha in [np.inf] + sorted(set(probability), reverse=True):
        small = probability >= alpha
        chosen = np.where(small, SMALL, LARGE)
        point = mean_point(scores, cost, chosen)
        if point is not None:
            points.append((*point, 1 - small.mean()))
    return np.array(points)


def hull_height(points, at):
    """Height of the non-decreasing hull at some costs: the best mixture of two points, or of one, that costs no more."""
    best = np.zeros(len(at))
    for c0, a0 in points:
        best = np.maximum(best, np.where(at >= c0, a0, 0))
        for c1, a1 in points:
            if c1 > c0:
                inside = (at >= c0) & (at <= c1)
                best = np.maximum(best, np.where(inside, a0 + (a1 - a0) * (at - c0) / (c1 - c0), 0))
    return best


def hull_area(points, low, high):
    """The hull is straight between costs of points; before the first it is 0."""
    first = points[:, 0].min()
    knots = np.unique(np.clip(np.concatenate([points[:, 0], [low, high]]), max(low, first), high))
    return np.trapezoid(hull_height(points, knots), knots)


def line_area(points, low, high):
    """Operating points in order of cost, joined; flat after the last."""
    order = np.lexsort((points[:, 1], points[:, 0]))
    c, a = points[order].T
    assert low <= c[0] and c[-1] <= high
    return np.trapezoid(np.append(a, a[-1]), np.append(c, high))


def single_points(scores, cost):
    points = []
    for m in range(N_MODELS):
        known = ~np.isnan(scores[:, m])
        if known.any():
            points.append((cost[known, m].mean(), scores[known, m].mean()))
    return np.array(points)


def first_crossing(calls, recovered):
    """calls: (share, accuracy) in ascending order of share."""
    target = calls[0, 1] + recovered * (calls[-1, 1] - calls[0, 1])
    for (s0, a0), (s1, a1) in zip(calls[:-1], calls[1:]):
        if a1 >= target:
            return s0 + (s1 - s0) * (target - a0) / (a1 - a0)
    raise AssertionError("the last point is the target of 1")


def pair_metrics(pair):
    """From (cost, accuracy, share) in descending order of share."""
    calls = pair[::-1][:, [2, 1]]
    small, large = calls[0, 1], calls[-1, 1]
    if not large > small:
        return [None] * 4
    apgr = (np.trapezoid(calls[:, 1], calls[:, 0]) - small) / (large - small)
    return [apgr] + [first_crossing(calls, part) for part in (0.2, 0.5, 0.8)]


def measure(scores, cost, predicted, predicted_cost, probability, mean_cost):
    """Metrics of CARROT, the RouterBench rule, the pair and the zero router, in that order."""
    singles = single_points(scores, cost)
    rule = rule_points(scores, cost, predicted, predicted_cost)
    flat = rule_points(scores, cost, predicted, np.broadcast_to(mean_cost, cost.shape))
    pair = pair_points(scores, cost, probability)
    preference = pair_points(scores, cost, predicted[:, SMALL] - predicted[:, LARGE])
    zero_knots = np.unique(singles[:, 0])
    zero = np.column_stack([zero_knots, hull_height(singles, zero_knots)])
    # The hull's corners and points on its straight lines and its flat end; only the corners are operating points.
    best = int(np.argmax(singles[:, 1]))
    target_cost, target = singles[best]
    zero = zero[: int(np.argmax(zero[:, 1] >= target)) + 1]
    routers = [rule, flat, pair[:, :2], zero]
    everything = np.concatenate(routers + [singles])
    low, high = everything[:, 0].min(), everything[:, 0].max()
    values = []
    for points in routers:
        reaches = points[points[:, 1] >= target - 1e-12]
        at_target = reaches[:, 0].min() if len(reaches) else np.inf
        affordable = points[points[:, 0] <= target_cost * (1 + 1e-12)]
        both = max(low, points[:, 0].min(), singles[:, 0].min())
        gain = (hull_area(points, both, high) - hull_area(singles, both, high)) / (high - both)
        values.append([
            hull_area(points, low, high) / (high - low),
            hull_area(points, 0, high) / high,
            line_area(points, low, high) / (high - low),
            at_target / target_cost,
            (at_target - low) / (high - low) if len(reaches) else 1.0,
            points[:, 1].max(),
            at_target,
            affordable[:, 1].max() if len(affordable) else None,
            gain,
        ])
    values[0] += pair_metrics(preference)
    values[1] += [None] * 4
    values[2] += pair_metrics(pair)
    values[3] += [None] * 4
    return values


def listed(values):
    """NaN and infinity are no JSON: null is not defined, "inf" is never reached."""
    if isinstance(values, list):
        return [listed(value) for value in values]
    if values is None:
        return None
    return "inf" if np.isinf(values) else float(values)


mean_cost = np.array([cost[~np.isnan(scores[:, m]), m].mean() for m in range(N_MODELS)])
table = (scores, cost, predicted, predicted_cost, probability)
estimates = measure(*table, mean_cost)
draws = rng.randint(0, N_PROMPTS, (N_RESAMPLES, N_PROMPTS))
counts = np.array([np.bincount(draw, minlength=N_PROMPTS) for draw in draws])
resampled = [measure(*(array[draw] for array in table), mean_cost) for draw in draws]
filled = np.array([[[np.nan if v is None else v for v in router] for router in sample] for sample in resampled])


def percentiles(values):
    values = values[~np.isnan(values)]
    if len(values) == 0:
        return [None, None, 0]
    if np.isinf(values).any():
        return None
    return [*np.percentile(values, [2.5, 97.5]), len(values)]


intervals = [[percentiles(filled[:, r, m]) for m in range(len(METRICS))] for r in range(4)]
finite = [not np.isinf(filled[:, [0, 2], m]).any() for m in range(len(METRICS))]
differences = [percentiles(filled[:, 0, m] - filled[:, 2, m]) if finite[m] else None for m in range(len(METRICS))]


def plot_1(test, validation, how):
    """Per benchmark and budget: (accuracy, cost, accuracy ratio, cost ratio, lambda), as the loops of the figure, reference LLM is LARGE."""
    lambdas = np.arange(GRID_STEPS + 1) / GRID_STEPS
    rows = []
    for benchmark in BENCHMARKS:
        def of(part, benchmark=benchmark):
            mask = np.array([label == benchmark for label in part["benchmarks"]])
            return [part[key][mask] for key in ("scores", "cost", "predicted", "predicted_cost")]
        everything = [validation[key] for key in ("scores", "cost", "predicted", "predicted_cost")]
        chosen_on = {"test": of(test), "validation_of_benchmark": of(validation), "validation": everything}[how]
        curve = np.array([mean_point(*chosen_on[:2], route(*chosen_on, lam, MULTIPLIER)) for lam in lambdas])
        there = chosen_on[1][:, LARGE].mean()
        here = of(test)
        reference_cost, reference = here[1][:, LARGE].mean(), here[0][:, LARGE].mean()
        for ratio in BUDGET_RATIOS:
            affordable = np.flatnonzero(curve[:, 0] <= ratio * there)
            if len(affordable) == 0:
                rows.append(None)
                continue
            best = max(affordable, key=lambda i: (curve[i, 1], -curve[i, 0], -i))
            c, a = mean_point(*here[:2], route(*here, lambdas[best], MULTIPLIER))
            rows.append([a, c, a / reference, c / reference_cost, lambdas[best]])
    return listed(rows)


def draw_part(n_prompts):
    keys = ("scores", "cost", "predicted", "predicted_cost")
    part = dict(zip(keys, draw_table(n_prompts)))
    part["benchmarks"] = [BENCHMARKS[i] for i in rng.randint(0, 3, n_prompts)]
    return part


test, validation = draw_part(60), draw_part(45)
WEIGHTS = np.ones(N_MODELS)


def plain(part):
    return {key: value if key == "benchmarks" else value.tolist() for key, value in part.items()}


golden = {
    "scores": [[None if np.isnan(value) else value for value in row] for row in scores.tolist()],
    "cost_usd": cost.tolist(),
    "predicted_scores": predicted.tolist(),
    "predicted_cost_usd": predicted_cost.tolist(),
    "small_win_probability": probability.tolist(),
    "small": SMALL,
    "large": LARGE,
    "metrics": METRICS,
    "counts": counts.tolist(),
    "estimates": listed(estimates),
    "resampled": listed(resampled),
    "intervals": intervals,
    "differences_0_to_2": differences,
    "test": plain(test),
    "validation": plain(validation),
    "budget_ratios": BUDGET_RATIOS,
    "plot_1": {how: plot_1(test, validation, how) for how in ("test", "validation_of_benchmark", "validation")},
}
Path(__file__).with_name("table.json").write_text(json.dumps(golden) + "\n")
