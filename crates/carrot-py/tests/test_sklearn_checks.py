"""scikit-learn's own checks of estimators. Those that an estimator here fails on purpose are listed with the reason."""

import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from carrot_router import CarrotBlend, CarrotCluster, CarrotKernel, CarrotKNN, CarrotLinear

# Embeddings have directions and no lengths: every learner divides a row by its length, so that what only lengths tell cannot be learned.
UNIT = "rows are taken at length 1, in which a target of raw features is not linear"

EXPECTED = {}


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
