"""Decisions, curves, metrics, worth and calibration against NumPy written out."""

import pickle

import numpy as np
import pytest

import carrot_router
from carrot_router import CarrotBlend, CarrotKNN, CarrotLinear, calibrate, choose, curve, metrics, worth


@pytest.fixture(scope="module")
def judged(world):
    train, test = slice(0, 450), slice(450, None)
    router = CarrotLinear().fit(world.X[train], world.scores[train], world.costs[train])
    predicted = router.predict(world.X[test]), router.predict_costs(world.X[test])
    return world.scores[test], world.costs[test], predicted


@pytest.mark.parametrize("mu", [0.0, 0.2, 0.5, 0.9, 1.0])
def test_choose_is_the_argmax(judged, mu):
    _, _, (scores, costs) = judged
    utility = (1 - mu) * scores.astype(np.float64) - mu * 100 * costs
    assert (choose(scores, costs, mu) == utility.argmax(axis=1)).all()


def test_the_curve_passes_through_every_choice(judged):
    scores, costs, predicted = judged
    found = curve(scores, costs, predicted)
    assert found.mu[0] == 0.0 and (np.diff(found.mu) >= 0).all()
    rows = np.arange(len(scores))
    for mu in np.linspace(0, 1, 31):
        chosen = choose(*predicted, mu)
        # The point that holds from the last mu on that is not above.
        at = np.searchsorted(found.mu, mu, side="right") - 1
        assert found.cost_usd[at] == pytest.approx(costs[rows, chosen].mean(), rel=1e-12)
        assert found.accuracy[at] == pytest.approx(scores[rows, chosen].mean(), abs=1e-7)


def test_metrics_of_several_routers_share_a_range(judged):
    scores, costs, predicted = judged
    perfect = (scores, costs)
    both = metrics(scores, costs, {"linear": predicted, "oracle": perfect})
    assert both["oracle"]["aiq"] > both["linear"]["aiq"]
    assert both["oracle"]["peak_accuracy"] == pytest.approx(scores.max(axis=1).mean())
    assert metrics(scores, costs, perfect)["peak_accuracy"] == both["oracle"]["peak_accuracy"]


def test_worth_tells_signal_from_none(world):
    found = worth(CarrotLinear(), world.X, world.scores, world.costs)
    assert found and found.gain.low > 0 and found.p_gain < 0.001 and len(found.curve["worth_usd"]) == 25
    assert "worth it: gain +" in str(found)
    shuffled = np.random.default_rng(1).permutation(len(world.X))
    nothing = worth(CarrotBlend(), world.X[shuffled], world.scores, world.costs)
    assert not nothing and nothing.verdict in ("not-worth-it", "cannot-tell")
    assert nothing.gain.low <= 0 <= nothing.gain.high


def test_worth_keeps_groups_together(world):
    # Each prompt four times: whoever is judged on copies of what it learned looks better than it is.
    X = np.repeat(world.X[:150], 4, axis=0)
    rng = np.random.default_rng(0)
    scores = np.repeat(rng.integers(0, 2, (150, 3)), 4, axis=0).astype(np.float32)
    costs = np.full(scores.shape, 0.001) * [1, 2, 3]
    knn = CarrotKNN(n_neighbors=[1, 2], selection="r2")
    leaking = worth(knn, X + 0.001 * rng.standard_normal(X.shape), scores, costs)
    kept = worth(knn, X + 0.001 * rng.standard_normal(X.shape), scores, costs, groups=np.repeat(np.arange(150), 4))
    assert leaking.gain.estimate > 0.2 and kept.gain.estimate < 0.1


def test_calibration_keeps_to_its_goal(judged):
    scores, costs, predicted = judged
    budget = 0.5 * (costs.mean(axis=0).min() + costs.mean(axis=0).max())
    reached = calibrate(scores, costs, predicted, cost_usd=budget, resamples=200)
    chosen = choose(*predicted, reached.mu)
    spent = costs[np.arange(len(costs)), chosen].mean()
    assert spent <= budget and reached.cost_usd.low <= spent <= reached.cost_usd.high
    assert sum(share.estimate for share in reached.shares) == pytest.approx(1)
    sure = calibrate(scores, costs, predicted, cost_usd=budget, confidence=0.95, n_new_prompts=1000, resamples=200)
    assert sure.promised[0] == 0.95 and sure.promised[1] <= budget and sure.mu >= reached.mu
    with pytest.raises(carrot_router.CarrotError, match="out of reach|cannot be reached|mean cost"):
        calibrate(scores, costs, predicted, cost_usd=1e-9, resamples=20)
    with pytest.raises(ValueError, match="0 goals were given"):
        calibrate(scores, costs, predicted)


def test_judging_predictions_is_what_worth_does(world):
    at = carrot_router.folds(len(world.X))
    predicted = np.empty(world.scores.shape, np.float32), np.empty(world.costs.shape)
    for fold in range(5):
        train, test = at != fold, at == fold
        router = CarrotLinear().fit(world.X[train], world.scores[train], world.costs[train])
        predicted[0][test], predicted[1][test] = router.predict_both(world.X[test])
    found = carrot_router.judge(world.scores, world.costs, predicted, at)
    expected = worth(CarrotLinear(), world.X, world.scores, world.costs)
    assert found.gain.estimate == pytest.approx(expected.gain.estimate, abs=1e-12)
    assert np.nanmean(found.prompt_gains) == pytest.approx(found.gain.estimate, abs=1e-12)
    with pytest.raises(carrot_router.CarrotError, match="3 folds were given, expected 600"):
        carrot_router.judge(world.scores, world.costs, predicted, at[:3])


def test_a_router_of_two_llms_is_judged(world):
    small, large = 0, 3
    at = carrot_router.folds(len(world.X))
    # The best that a topic says, and what knows nothing.
    wins = (world.scores[:, small] >= world.scores[:, large]).astype(np.float32)
    knows = np.array([wins[world.topic == topic].mean() for topic in range(8)])[world.topic]
    chance = np.random.default_rng(0).uniform(size=len(world.X))
    of_knowing, of_chance = (carrot_router.judge_pair(world.scores, world.costs, p, (small, large), at) for p in (knows, chance))
    assert of_knowing.gain.estimate > of_chance.gain.high
    assert of_chance.gain.low < 0
    apart = carrot_router.difference(of_knowing, of_chance)
    assert apart.gain.estimate == pytest.approx(of_knowing.gain.estimate - of_chance.gain.estimate, abs=1e-12)
    assert apart.gain.low > 0 and apart.p < 0.01
    assert carrot_router.difference(of_chance, of_knowing).p == pytest.approx(apart.p)
    assert carrot_router.difference(of_chance, of_chance).p == 1
    kept = pickle.loads(pickle.dumps(of_knowing))
    assert kept.gain == of_knowing.gain
    with pytest.raises(ValueError, match="judge it again"):
        carrot_router.difference(kept, of_chance)
    with pytest.raises(carrot_router.CarrotError, match="4"):
        carrot_router.judge_pair(world.scores, world.costs, chance, (0, 4), at)


def test_holm_by_hand():
    found = carrot_router.holm([0.04, 0.01, np.nan, 0.03])
    assert found[:2] == pytest.approx([0.06, 0.03]) and np.isnan(found[2]) and found[3] == pytest.approx(0.06)
