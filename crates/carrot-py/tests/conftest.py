"""What the tests share. scripts/long/wheel.py runs them."""

import os
from pathlib import Path

import numpy as np
import pytest


class World:
    """Prompts of eight topics, four LLMs whose ability and cost depend on the topic, and chance."""

    def __init__(self, n_prompts=600, dim=24, seed=0):
        rng = np.random.default_rng(seed)
        topics = rng.standard_normal((8, dim))
        topic = rng.integers(8, size=n_prompts)
        X = topics[topic] + 0.6 * rng.standard_normal((n_prompts, dim))
        ability = rng.uniform(0.2, 0.95, (8, 4))
        self.X = X.astype(np.float32)
        self.scores = (rng.uniform(size=(n_prompts, 4)) < ability[topic]).astype(np.float32)
        price = np.array([0.001, 0.002, 0.004, 0.010])
        self.costs = price * rng.uniform(0.8, 1.2, (n_prompts, 4)) * (1 + topic[:, np.newaxis] / 8)
        self.topic = topic


@pytest.fixture(scope="session")
def world():
    return World()


@pytest.fixture(scope="session")
def data_set():
    """The folder of a data set that the programs made, with predictions and embeddings: `CARROT_TEST_DATA_SET`."""
    return Path(os.environ["CARROT_TEST_DATA_SET"])


@pytest.fixture(scope="session")
def models(data_set):
    """The folder of its routers, as train-and-infer fitted them."""
    return data_set.parent.parent / "models" / data_set.name
