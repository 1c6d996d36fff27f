"""The learners in scikit-learn's manners, without scikit-learn."""

from __future__ import annotations

import inspect
import json
import sys

import numpy as np

from . import _arrays, _measures
from ._native import Part, Router


class NotFittedError(ValueError, AttributeError):
    """What is asked for is there only after `fit`."""


def _not_fitted(estimator):
    # scikit-learn asks for its own class, which is there whenever someone can ask.
    kind = getattr(sys.modules.get("sklearn.exceptions"), "NotFittedError", NotFittedError)
    name = type(estimator).__name__
    return kind(f"This {name} instance is not fitted yet. Call 'fit' with appropriate arguments before using this estimator.")


class CarrotRegressor:
    """What all learners share. Parameters that are None are those of configs/routers.toml (`default_settings`)."""

    _router_name = None
    _section = None
    _estimator_type = "regressor"

    @classmethod
    def _parameters(cls):
        return [name for name in inspect.signature(cls.__init__).parameters if name != "self"]

    def get_params(self, deep=True):
        """The parameters by name; with `deep`, also those of learners within, as `knn__n_neighbors`."""
        params = {}
        for name in self._parameters():
            value = getattr(self, name)
            params[name] = value
            if deep and isinstance(value, CarrotRegressor):
                params.update((f"{name}__{key}", inner) for key, inner in value.get_params().items())
        return params

    def set_params(self, **params):
        """Sets parameters by the names that `get_params` gives."""
        known = self._parameters()
        for key, value in params.items():
            name, _, inner = key.partition("__")
            if name not in known:
                raise ValueError(f"Invalid parameter {name!r} for estimator {self}. Valid parameters are: {known!r}.")
            if inner:
                getattr(self, name).set_params(**{inner: value})
            else:
                setattr(self, name, value)
        return self

    def __repr__(self):
        given = ", ".join(f"{name}={value!r}" for name, value in self.get_params(deep=False).items() if value is not None)
        return f"{type(self).__name__}({given})"

    def _settings(self):
        """{section: {key: value}} of configs/routers.toml, without what is None."""
        own = {}
        sections = {self._section: own}
        for name in self._parameters():
            value = getattr(self, name)
            if isinstance(value, CarrotRegressor):
                sections.update(value._settings())
            elif value is not None:
                own[name.replace("_", "-")] = value
        return sections

    def fit(self, X, scores=None, costs=None, *, models=None, groups=None, shuffled=False, embedder="given"):
        """Learns every LLM's score and cost from embeddings of prompts.

        X         embeddings, (n_prompts, dim)
        scores    what each LLM got for its answer, (n_prompts, n_models), NaN where unknown; or a part of a data set (`read_split`), which has
                  costs, LLMs and prompts
        costs     dollars, of the same shape; without, only scores are predicted, and only they decide whether a blend routes
        models    the LLMs' names
        groups    one value per row; rows of one value, copies of a prompt say, are in one fold of whatever is chosen by held-out rows
        shuffled  whether rows are in random order, so that CarrotKNN may choose k by the paper's unshuffled folds
        embedder  the name of what made X, for whoever opens a saved router
        """
        X = _arrays.embeddings(X)
        settings = _dumps(self._settings())
        if isinstance(scores, Part):
            if costs is not None or models is not None or groups is not None:
                raise ValueError("a part of a data set has its own costs, LLMs and prompts")
            router = Router.fit_part(self._router_name, settings, X, scores, embedder=embedder)
            is_flat, has_costs = False, True
        else:
            matrix, is_flat = _arrays.targets(scores, np.float32)
            if len(matrix) != len(X):
                raise ValueError(f"Found input variables with inconsistent numbers of samples: {[len(X), len(matrix)]}")
            has_costs = costs is not None
            costs = _arrays.targets(costs, np.float64, "costs")[0] if has_costs else None
            router = Router.fit(
                self._router_name, settings, X, matrix, costs,
                models=models, groups=_arrays.numbers_of(groups), shuffled=shuffled, embedder=embedder,
            )  # fmt: skip
        self._take(router, is_flat, has_costs)
        return self

    def _take(self, router, is_flat=False, has_costs=True):
        self.router_ = router
        self.n_features_in_ = router.dim
        self.models_ = router.models
        self._is_flat = is_flat
        self._has_costs = has_costs

    @property
    def routes_(self):
        """Whether choices depend on the prompt: a blend may have found that routing is not worth it."""
        return self._fitted().routes

    @property
    def results_(self):
        """What was chosen or measured in the fit."""
        return json.loads(self._fitted().results())

    def _fitted(self):
        if not hasattr(self, "router_"):
            raise _not_fitted(self)
        return self.router_

    def __sklearn_is_fitted__(self):
        return hasattr(self, "router_")

    def predict(self, X):
        """Expected scores, (n_prompts, n_models); of one column if `scores` was one."""
        router = self._fitted()
        scores, _ = router.predict(_arrays.embeddings(X, self))
        return scores[:, 0] if self._is_flat else scores

    def predict_costs(self, X, of=None):
        """Expected costs in dollars, (n_prompts, n_models).

        of    the prompts' input tokens, (n_prompts, n_models), which routers that predict output tokens need; or the part of the data set that X
              embeds, which has them
        """
        return self.predict_both(X, input_tokens=of)[1]

    def predict_both(self, X, *, input_tokens=None):
        """Expected scores and costs at once; `input_tokens` as `of` in `predict_costs`."""
        router = self._fitted()
        if not self._has_costs:
            raise ValueError("the router was fitted without costs and predicts none")
        X = _arrays.embeddings(X, self)
        if isinstance(input_tokens, Part):
            return router.predict(X, part=input_tokens)
        return router.predict(X, input_tokens=None if input_tokens is None else _arrays.matrix(input_tokens, np.float64))

    def choose(self, X, mu, *, of=None, cost_multiplier=None):
        """The position of the LLM that each prompt goes to. mu weighs cost: 0 takes the best predicted score, 1 the cheapest LLM."""
        return _measures.choose(*self.predict_both(X, input_tokens=of), mu, cost_multiplier=cost_multiplier)

    def score(self, X, scores, sample_weight=None):
        """The mean R2 of predicted scores over LLMs, over the prompts where they are known."""
        predicted = self.predict(X).reshape(len(X), -1).astype(np.float64)
        truth, _ = _arrays.targets(scores, np.float64)
        weights = np.ones(len(truth)) if sample_weight is None else np.asarray(sample_weight, dtype=np.float64)
        r2 = []
        for expected, found in zip(truth.T, predicted.T):
            known = ~np.isnan(expected)
            weight = weights[known]
            residual = np.sum(weight * (expected[known] - found[known]) ** 2)
            spread = np.sum(weight * (expected[known] - np.average(expected[known], weights=weight)) ** 2)
            # As scikit-learn: a constant that is predicted exactly is 1, otherwise 0.
            r2.append(1 - residual / spread if spread else float(residual == 0))
        return float(np.mean(r2))

    def save(self, folder):
        """Writes the router's folder, which the programs open, too."""
        self._fitted().save(folder)

    @classmethod
    def open(cls, folder):
        """The router in a folder that train-and-infer or `save` wrote."""
        router = Router.open(folder)
        kind = next((it for it in cls.__subclasses__() if it._router_name == router.name), None) if cls._router_name is None else cls
        # The paper's router on a sentence embedding is nearest neighbors, too.
        kind = kind or CarrotKNN
        if kind._router_name not in (router.name, "carrot-knn"):
            raise ValueError(f"`{folder}` holds `{router.name}`, expected `{kind._router_name}`")
        estimator = kind()
        estimator._take(router)
        return estimator

    def __sklearn_tags__(self):
        from sklearn.utils import InputTags, RegressorTags, Tags, TargetTags

        return Tags(
            estimator_type="regressor",
            target_tags=TargetTags(required=True, multi_output=True),
            regressor_tags=RegressorTags(),
            input_tags=InputTags(),
        )


class CarrotKNN(CarrotRegressor):
    """CARROT (KNN): k-nearest-neighbors regression by cosine, k chosen by cross-validation."""

    _router_name = _section = "carrot-knn"

    def __init__(self, n_neighbors=None, *, n_folds=None, selection=None, seed=None, backend=None):
        self.n_neighbors = n_neighbors
        self.n_folds = n_folds
        self.selection = selection
        self.seed = seed
        self.backend = backend


class CarrotLinear(CarrotRegressor):
    """Ridge regression on unit vectors."""

    _router_name = _section = "carrot-linear"

    def __init__(self, alphas=None, *, n_folds=None, seed=None):
        self.alphas = alphas
        self.n_folds = n_folds
        self.seed = seed


class CarrotKernel(CarrotRegressor):
    """Kernel ridge regression on unit vectors, through landmarks."""

    _router_name = _section = "carrot-kernel"

    def __init__(self, gammas=None, alphas=None, *, n_landmarks=None, n_folds=None, seed=None):
        self.gammas = gammas
        self.alphas = alphas
        self.n_landmarks = n_landmarks
        self.n_folds = n_folds
        self.seed = seed


class CarrotCluster(CarrotRegressor):
    """Means over k-means clusters of unit vectors."""

    _router_name = _section = "carrot-cluster"

    def __init__(self, n_clusters=None, *, prior_rows=None, max_iterations=None, tolerance=None, n_folds=None, seed=None):
        self.n_clusters = n_clusters
        self.prior_rows = prior_rows
        self.max_iterations = max_iterations
        self.tolerance = tolerance
        self.n_folds = n_folds
        self.seed = seed


class CarrotBlend(CarrotRegressor):
    """The blend of the four others, which routes only where that pays. Each may be given with parameters of its own."""

    _router_name = _section = "carrot-blend"

    def __init__(self, *, n_folds=None, seed=None, scales=None, knn=None, linear=None, kernel=None, cluster=None):
        self.n_folds = n_folds
        self.seed = seed
        self.scales = scales
        self.knn = knn
        self.linear = linear
        self.kernel = kernel
        self.cluster = cluster


def _dumps(settings):
    def plain(value):
        # NumPy's numbers and arrays, which parameters may well be.
        if hasattr(value, "tolist"):
            return value.tolist()
        raise TypeError(f"{value!r} cannot be a parameter")

    return json.dumps(settings, default=plain)
