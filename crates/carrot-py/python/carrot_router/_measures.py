"""What predictions are worth, on arrays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from . import _arrays, _native
from ._native import Part

# The reference's; brings dollars to the scale of scores.
COST_MULTIPLIER = 100.0


class Curve(NamedTuple):
    """Operating points, from the most accurate end (mu 0) to the cheapest (mu 1); each holds from its mu on."""

    mu: np.ndarray
    cost_usd: np.ndarray
    accuracy: np.ndarray


class Interval(NamedTuple):
    """An estimate with its interval."""

    estimate: float
    low: float
    high: float


@dataclass(frozen=True)
class Worth:
    """Whether routing is worth it. Gains are scores: what utility, score - cost / worth, a router's choices have over the best single LLM."""

    verdict: str
    gain: Interval
    standard_error: float
    p_gain: float
    p_loss: float
    best_single: str | None
    routes: bool
    n_prompts: int
    curve: dict[str, np.ndarray]
    # Each prompt's part in the gain; NaN where it was not judged.
    prompt_gains: np.ndarray
    # For `difference`; not pickled.
    _gains: _native.Gains | None = field(default=None, repr=False, compare=False)

    def __getstate__(self):
        return {**self.__dict__, "_gains": None}

    def __bool__(self):
        return self.verdict == "worth-it"

    def __str__(self):
        word = {"worth-it": "worth it", "not-worth-it": f"not worth it, use {self.best_single}", "cannot-tell": "cannot tell"}[self.verdict]
        return f"{word}: gain {self.gain.estimate:+.4f} [{self.gain.low:+.4f}, {self.gain.high:+.4f}] on {self.n_prompts} prompts"


class Difference(NamedTuple):
    """By how much one router gains more than another, with two-sided p."""

    gain: Interval
    p: float


@dataclass(frozen=True)
class Reached:
    """A setting for a goal, and what to expect of it on new prompts."""

    mu: float
    cost_usd: Interval
    accuracy: Interval
    shares: list[Interval]
    out_of_reach: float
    missed: float
    promised: tuple[float, float] | None


def _scores(values):
    return _arrays.matrix(values, np.float32)


def _costs(values):
    return _arrays.matrix(values, np.float64)


def _pair(predicted):
    scores, costs = predicted
    return _scores(scores), _costs(costs)


def choose(scores, costs, mu, *, cost_multiplier=None):
    """For each row the position of the LLM with the highest (1 - mu) * score - mu * cost_multiplier * cost; the first of several."""
    return _native.choose(_scores(scores), _costs(costs), mu, COST_MULTIPLIER if cost_multiplier is None else cost_multiplier)


def curve(scores, costs, predicted, *, cost_multiplier=COST_MULTIPLIER):
    """What a router reaches on prompts whose scores and costs are known, at every mu. `predicted` are its (scores, costs)."""
    return Curve(*_native.curve(_scores(scores), _costs(costs), _pair(predicted), cost_multiplier))


def metrics(scores, costs, predicted):
    """The field's metrics (AIQ, AUDC, QNC, ...) of a router's (scores, costs), or by name of several, over one range of costs.

    Most of them choose by the truth that measures them (docs/figures.md): whether routing is worth it is `worth`'s to say.
    """
    several = predicted if isinstance(predicted, Mapping) else {"": predicted}
    found = dict(_native.metrics(_scores(scores), _costs(costs), [(name, _pair(pair)) for name, pair in several.items()]))
    return found if isinstance(predicted, Mapping) else found[""]


def worth(estimator, X, scores, costs=None, *, groups=None, folds=5, repeats=1, seed=42, level=0.95, resamples=10_000, at_least=None):
    """Whether routing by an estimator is worth it: each prompt is judged by a router that was fitted without it. `scores` may be a part of a data set."""
    how = {"folds": folds, "repeats": repeats, "seed": seed, "level": level, "resamples": resamples, "at_least": at_least}
    from ._estimators import _dumps

    arguments = (estimator._router_name, _dumps(estimator._settings()), _arrays.embeddings(X), how)
    if isinstance(scores, Part):
        found = _native.worth(*arguments, part=scores)
    else:
        costs = None if costs is None else _costs(costs)
        found = _native.worth(*arguments, scores=_scores(scores), costs=costs, groups=_arrays.numbers_of(groups))
    return _worth(found)


def judge(scores, costs, predicted, folds, *, groups=None, seed=42, level=0.95, resamples=10_000, at_least=None):
    """Whether routing by out-of-fold predictions, of whatever made them, is worth it: `predicted` are (scores, costs), `folds` one number per row, and
    no row was predicted by what was fitted on rows of its fold."""
    how = {"folds": 0, "repeats": 1, "seed": seed, "level": level, "resamples": resamples, "at_least": at_least}
    folds = np.asarray(folds).tolist()
    return _worth(_native.judge(_scores(scores), _costs(costs), _pair(predicted), folds, how, groups=_arrays.numbers_of(groups)))


def judge_pair(scores, costs, probability, pair, folds, *, groups=None, seed=42, level=0.95, resamples=10_000, at_least=None):
    """The same for a router of two LLMs: `probability` has one number per row, that the small LLM does as well as the large one, and `pair` the
    positions of the two. The threshold for each worth is chosen on one half of the rows and judged on the other, both ways."""
    how = {"folds": 0, "repeats": 1, "seed": seed, "level": level, "resamples": resamples, "at_least": at_least}
    probability = np.ascontiguousarray(probability, dtype=np.float32)
    arguments = (_scores(scores), _costs(costs), probability, tuple(pair), np.asarray(folds).tolist(), how)
    return _worth(_native.judge_pair(*arguments, groups=_arrays.numbers_of(groups)))


def difference(first, second, *, level=0.95):
    """By how much the first router of two, as `worth` or `judge` judged them on the same rows, gains more than the second."""
    if first._gains is None or second._gains is None:
        raise ValueError("what was pickled has lost what each prompt says at each worth: judge it again")
    value, low, high, p_above, p_below = _native.difference(first._gains, second._gains, level)
    return Difference(Interval(value, low, high), min(1.0, 2 * min(p_above, p_below)))


def folds(n_rows, n_folds=5, *, seed=42, groups=None):
    """The fold of each row, as `worth` and the programs draw them; rows of one group are in one fold."""
    return np.array(_native.folds(n_rows, n_folds, seed, _arrays.numbers_of(groups)))


def holm(p_values):
    """p-values corrected for how many there are (Holm 1979); NaN stays, and does not count."""
    p_values = np.asarray(p_values, dtype=np.float64)
    order = [i for i in np.argsort(p_values, kind="stable") if not np.isnan(p_values[i])]
    adjusted, largest = np.full(len(p_values), np.nan), 0.0
    for n_before, i in enumerate(order):
        largest = max(largest, min(1.0, (len(order) - n_before) * p_values[i]))
        adjusted[i] = largest
    return adjusted


def _worth(found):
    return Worth(
        verdict=found["verdict"],
        gain=Interval(found["gain"], found["low"], found["high"]),
        standard_error=found["standard_error"],
        p_gain=found["p_gain"],
        p_loss=found["p_loss"],
        best_single=found["best_single"],
        routes=found["routes"],
        n_prompts=found["n_prompts"],
        curve={key: np.array(values) for key, values in found["curve"].items()},
        prompt_gains=np.array(found["prompt_gains"]),
        _gains=found["gains"],
    )


def calibrate(
    scores, costs, predicted, *, cost_usd=None, relative_cost=None, accuracy=None, share=None, confidence=None, n_new_prompts=None, level=0.95,
    resamples=2000, seed=42, cost_multiplier=COST_MULTIPLIER,
):  # fmt: skip
    """The mu that reaches one goal on these prompts, and what to expect of it on new ones.

    cost_usd       a mean cost of at most so many dollars per prompt
    relative_cost  (model, part): at most this part of what an LLM, by its position, costs
    accuracy       a mean score of at least this
    share          (model, share): an LLM's share of the prompts
    confidence     the probability with which `n_new_prompts` new ones keep the goal; without, it is met in the mean
    """
    goals = {"cost": cost_usd, "relative-cost": relative_cost, "accuracy": accuracy, "share": share}
    given = [(goal, value) for goal, value in goals.items() if value is not None]
    if len(given) != 1:
        raise ValueError(f"{len(given)} goals were given, expected one of cost_usd, relative_cost, accuracy and share")
    goal, value = given[0]
    model, value = value if goal in ("relative-cost", "share") else (None, value)
    how = {
        "goal": goal, "value": value, "model": model, "confidence": confidence, "n_new_prompts": n_new_prompts, "level": level,
        "resamples": resamples, "seed": seed, "cost_multiplier": cost_multiplier,
    }  # fmt: skip
    found = _native.calibrate(_scores(scores), _costs(costs), _pair(predicted), how)
    return Reached(
        mu=found["mu"],
        cost_usd=Interval(*found["cost_usd"]),
        accuracy=Interval(*found["accuracy"]),
        shares=[Interval(*share) for share in found["shares"]],
        out_of_reach=found["out_of_reach"],
        missed=found["missed"],
        promised=found["promised"],
    )
