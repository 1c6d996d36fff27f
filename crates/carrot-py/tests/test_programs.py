"""The package beside the programs, on a data set that they made."""

import numpy as np
import pytest

import carrot_router
from carrot_router import CarrotBlend, CarrotCluster, CarrotKernel, CarrotKNN, CarrotLinear, read_split

ROUTERS = {
    "carrot-knn": CarrotKNN, "carrot-linear": CarrotLinear, "carrot-kernel": CarrotKernel, "carrot-cluster": CarrotCluster,
    "carrot-blend": CarrotBlend,
}  # fmt: skip


@pytest.fixture(scope="module")
def split(data_set):
    return read_split(data_set)


def same(a, b):
    return a.dtype == b.dtype and a.shape == b.shape and (a.view(np.uint8) == b.view(np.uint8)).all()


@pytest.mark.parametrize("name", ROUTERS)
def test_predictions_are_those_of_train_and_infer_to_the_last_bit(name, split):
    embedder = "minilm"
    router = ROUTERS[name]().fit(split.train.embeddings(embedder), split.train, embedder=embedder)
    X = split.test.embeddings(embedder)
    scores, costs = split.test.predictions(name)
    assert same(router.predict(X), scores)
    assert same(router.predict_costs(X, split.test), costs)


@pytest.mark.parametrize("name", ROUTERS)
def test_a_router_of_train_and_infer_is_opened(name, split, models):
    router = carrot_router.open(models / name)
    assert type(router) is ROUTERS[name]
    scores, _ = split.test.predictions(name)
    assert same(router.predict(split.test.embeddings("minilm")), scores)


def test_parts_are_read(split):
    train = split.train
    assert len(train) == len(train.ids) == len(train.prompts) == len(train.tasks) == len(train.scores)
    assert train.scores.shape == (len(train), len(split.models)) and train.models == split.models
    # The same memory each time, and nobody's to write to.
    assert train.scores.ctypes.data == train.scores.ctypes.data
    with pytest.raises(ValueError, match="read-only"):
        train.scores[0, 0] = 1
    scores = train.scores
    del train
    assert np.isfinite(scores).any()


def test_prompts_are_embedded_as_the_programs_do(split, models):
    embedder = carrot_router.Embedder(models.parent / "all-MiniLM-L6-v2")
    some = embedder.embed(split.test.prompts[:20])
    assert some.shape == (20, embedder.dim) and same(some, split.test.embeddings("minilm")[:20].copy())


def test_worth_of_a_part_is_that_of_its_arrays(split):
    X, part = split.test.embeddings("minilm"), split.test
    by_part = carrot_router.worth(CarrotLinear(), X, part)
    by_arrays = carrot_router.worth(CarrotLinear(), X, part.scores, part.costs)
    assert by_part.n_prompts == by_arrays.n_prompts == len(part)
    assert by_part.best_single in split.models


@pytest.mark.parametrize("name", ["carrot-linear", "mf"])
def test_out_of_fold_predictions_are_read(name, split):
    at, predicted = split.out_of_fold(name)
    prompts = [prompt for part in (split.train, split.test) for prompt in part.prompts]
    assert (at == carrot_router.folds(len(prompts), groups=prompts)).all()
    scores, costs = (np.concatenate([getattr(part, name) for part in (split.train, split.test)]) for name in ("scores", "costs"))
    if name == "mf":
        assert predicted.shape == (len(prompts),) and ((predicted >= 0) & (predicted <= 1)).all()
        found = carrot_router.judge_pair(scores, costs, predicted, split.pair, at, groups=prompts)
    else:
        assert predicted[0].shape == predicted[1].shape == scores.shape
        found = carrot_router.judge(scores, costs, predicted, at, groups=prompts)
    assert found.n_prompts == len(prompts) and np.isfinite(found.gain).all()
    with pytest.raises(carrot_router.CarrotError, match="there are no predictions of `carrot-knn`"):
        split.out_of_fold("carrot-knn")


def test_what_a_call_costs_is_known_before_it_or_not(split):
    assert split.has_known_costs is False
    assert [split.models[at] for at in split.pair] == ["atlas-mini", "atlas-large"]
