"""The learners: scikit-learn's manners, pickling, errors, arrays."""

import pickle
import threading

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import KFold, cross_val_score

import carrot_router
from carrot_router import CarrotBlend, CarrotCluster, CarrotError, CarrotKernel, CarrotKNN, CarrotLinear

ALL = [CarrotKNN, CarrotLinear, CarrotKernel, CarrotCluster, CarrotBlend]


@pytest.mark.parametrize("kind", ALL)
def test_it_learns_scores_and_costs(kind, world):
    train, test = slice(0, 450), slice(450, None)
    router = kind().fit(world.X[train], world.scores[train], world.costs[train], models=["a", "b", "c", "d"])
    scores, costs = router.predict(world.X[test]), router.predict_costs(world.X[test])
    assert (scores.shape, scores.dtype, costs.shape, costs.dtype) == ((150, 4), np.float32, (150, 4), np.float64)
    assert router.models_ == ["a", "b", "c", "d"] and router.n_features_in_ == 24
    assert router.score(world.X[test], world.scores[test]) > 0.05
    relative = np.abs(costs.mean(axis=0) / world.costs[test].mean(axis=0) - 1)
    assert relative.max() < 0.1
    # The cheapest LLM where only costs count, and the best predicted one where none do.
    assert set(router.choose(world.X[test], 1.0)) == {0}
    assert (router.choose(world.X[test], 0.0) == scores.argmax(axis=1)).all()


@pytest.mark.parametrize("kind", ALL)
def test_pickling_saving_and_cloning(kind, world, tmp_path):
    router = kind(n_folds=3, seed=7).fit(world.X, world.scores, world.costs)
    expected, costs = router.predict(world.X), router.predict_costs(world.X)
    router.save(tmp_path / "router")
    for again in (pickle.loads(pickle.dumps(router)), carrot_router.open(tmp_path / "router"), kind.open(tmp_path / "router")):
        assert type(again) is kind
        assert (again.predict(world.X) == expected).all() and (again.predict_costs(world.X) == costs).all()
    copy = clone(router)
    assert not hasattr(copy, "router_") and copy.get_params() == router.get_params()
    # The same seed gives the same bytes.
    assert copy.fit(world.X, world.scores, world.costs).router_.to_bytes() == router.router_.to_bytes()


def test_a_damaged_pickle_is_refused(world):
    packed = CarrotLinear().fit(world.X, world.scores).router_.to_bytes()
    kind = carrot_router.Router
    for broken, words in [
        (b"not a router", "these bytes are not a packed router"),
        (packed[:-1], "ends too early"),
        (packed.replace(b"router.json", b"../uter.json"[:11]), "not a path of a file"),
        (packed[:-20] + bytes(20), "SHA-256"),
    ]:
        with pytest.raises(CarrotError, match=words):
            kind.from_bytes(broken)


def test_parameters_reach_the_fit(world):
    # A list goes on by doublings; no built-in k is a multiple of 3.
    router = CarrotKNN([3], selection="r2").fit(world.X, world.scores, world.costs)
    assert all(target["n-neighbors"] % 3 == 0 for target in router.results_["targets"])
    blend = CarrotBlend(knn=CarrotKNN(n_neighbors=[8, 16]), n_folds=3)
    assert blend.get_params()["knn__n_neighbors"] == [8, 16]
    blend.set_params(knn__n_neighbors=[32], n_folds=2)
    config = __import__("json").loads(blend.fit(world.X, world.scores, world.costs).router_.config())
    assert config["knn"]["n-neighbors"] == [32] and config["blend"]["n-folds"] == 2
    assert carrot_router.default_settings()["carrot-knn"]["n-neighbors"][-1] == 512


def test_errors_have_the_words_of_the_programs(world):
    for call, words in [
        (lambda: CarrotKNN([4, 2]).fit(world.X, world.scores), "ascending list of numbers of at least 1"),
        (lambda: CarrotKNN(selection="best").fit(world.X, world.scores), "unknown variant `best`"),
        (lambda: CarrotLinear(alphas=[-1.0]).fit(world.X, world.scores), "alphas"),
        (lambda: CarrotKNN().fit(world.X, world.scores, world.costs[:, :2]), r"costs have shape `\(600, 2\)`, expected `\(600, 4\)`"),
        (lambda: carrot_router.read_split("nowhere/no-such"), "no-such"),
        (lambda: carrot_router.choose(world.scores, world.costs, 1.5), "mu is `1.5`"),
    ]:
        with pytest.raises(CarrotError, match=words):
            call()
    assert issubclass(CarrotError, ValueError)
    with pytest.raises(ValueError, match="X has 3 features, but CarrotKNN is expecting 24 features as input"):
        CarrotKNN().fit(world.X, world.scores).predict(world.X[:, :3])
    with pytest.raises(ValueError, match="fitted without costs"):
        CarrotKNN().fit(world.X, world.scores).predict_costs(world.X)


def test_unknown_scores_are_nan(world):
    scores = world.scores.copy()
    scores[::3, 1] = np.nan
    predicted = CarrotKNN(selection="r2").fit(world.X, scores, world.costs).predict(world.X)
    assert np.isfinite(predicted).all()


def test_cross_validation_of_scikit_learn(world):
    found = cross_val_score(CarrotLinear(), world.X, world.scores, cv=KFold(3, shuffle=True, random_state=0))
    assert found.min() > 0.05


def test_arrays_are_not_copied(world):
    X = np.ascontiguousarray(world.X)
    from carrot_router import _arrays

    assert _arrays.embeddings(X) is X and _arrays.matrix(world.costs, np.float64) is world.costs
    router = CarrotLinear().fit(X, world.scores)
    predicted = router.predict(X)
    # It owns what Rust computed: its base is no NumPy array that it would have been copied from.
    assert predicted.flags["C_CONTIGUOUS"] and not isinstance(predicted.base, np.ndarray)


def test_other_threads_run_meanwhile(world):
    X = np.random.default_rng(0).standard_normal((3000, 256)).astype(np.float32)
    scores = (X[:, :4] > 0).astype(np.float32)
    counted, done = [0], threading.Event()

    def count():
        while not done.is_set():
            counted[0] += 1

    thread = threading.Thread(target=count)
    thread.start()
    before = counted[0]
    CarrotKNN(n_neighbors=[8]).fit(X, scores)
    during = counted[0] - before
    done.set()
    thread.join()
    assert during > 1000


def test_warnings_are_pythons(world):
    X = np.repeat(world.X[:100], 2, axis=0)
    scores, costs = np.repeat(world.scores[:100], 2, axis=0), np.repeat(world.costs[:100], 2, axis=0)
    with pytest.warns(UserWarning, match="100 prompts repeat an earlier one"):
        CarrotKNN().fit(X, scores, costs, groups=np.repeat(np.arange(100), 2), shuffled=True)
