"""scikit-learn's own checks of estimators. Those that an estimator here fails on purpose are listed with the reason."""

import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from carrot_router import CarrotBlend, CarrotCluster, CarrotKernel, CarrotKNN, CarrotLinear

NAMED = "fit and score take `scores` of LLMs, not `y`, by that name"
EVERY = {
    "check_fit_score_takes_y": NAMED,
    "check_n_features_in_after_fitting": f"{NAMED}, and this check calls score(X, y=y)",
    "check_regressor_multioutput": "predictions are float32, bitwise those of train-and-infer",
}
FEW_CLUSTERS = "the list of this test ends at four clusters, whose means are no line in ten dimensions"
ONE_CLUSTER = [
    "check_dont_overwrite_parameters",
    "check_fit2d_1feature",
    "check_fit2d_1sample",
    "check_fit2d_predict1d",
    "check_methods_sample_order_invariance",
    "check_methods_subset_invariance",
]
ONE_LLM = "with one column there is nothing to choose between, and a blend that finds no gain predicts every prompt alike"

EXPECTED = {
    CarrotKNN: EVERY,
    CarrotLinear: EVERY,
    CarrotKernel: EVERY,
    CarrotCluster: EVERY | {"check_regressors_train": FEW_CLUSTERS} | dict.fromkeys(ONE_CLUSTER, "it sets n_clusters to a number, which is a list here"),
    CarrotBlend: EVERY | {"check_regressors_train": ONE_LLM},
}


def expected(estimator):
    return EXPECTED.get(type(estimator), {})


@parametrize_with_checks(
    [CarrotKNN(n_neighbors=[2, 4, 8]), CarrotLinear(), CarrotKernel(), CarrotCluster(n_clusters=[2, 4]), CarrotBlend()],
    expected_failed_checks=expected,
)
def test_checks_of_scikit_learn(estimator, check):
    check(estimator)


def test_no_expectation_is_without_a_reason():
    assert all(len(reason) > 20 for reasons in EXPECTED.values() for reason in reasons.values())


if __name__ == "__main__":
    pytest.main([__file__])
