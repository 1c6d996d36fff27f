"""CARROT in Python: learners that predict every LLM's score and cost for a prompt, and what their predictions are worth.

Learners have scikit-learn's manners and need NumPy alone. Matrices have a row for each prompt and a column for each LLM; NaN is unknown.
"""

from ._estimators import CarrotBlend, CarrotCluster, CarrotKernel, CarrotKNN, CarrotLinear, CarrotRegressor, NotFittedError
from ._measures import Curve, Difference, Interval, Reached, Worth, calibrate, choose, curve, difference, folds, holm, judge, judge_pair, metrics, worth
from ._native import CarrotError, Embedder, Part, Router, Split, __version__, read_split

__all__ = [
    "CarrotBlend", "CarrotCluster", "CarrotError", "CarrotKNN", "CarrotKernel", "CarrotLinear", "CarrotRegressor", "Curve", "Difference",
    "Embedder", "Interval", "NotFittedError", "Part", "Reached", "Router", "Split", "Worth", "__version__", "calibrate", "choose", "curve",
    "default_settings", "difference", "folds", "holm", "judge", "judge_pair", "metrics", "open", "read_split", "worth",
]  # fmt: skip


def open(folder):
    """The router in a folder that train-and-infer or `save` wrote, as an estimator that is fitted."""
    return CarrotRegressor.open(folder)


def default_settings():
    """The settings that are in force where a parameter is None, by section: configs/routers.toml."""
    import json

    from . import _native

    return json.loads(_native.default_settings())
