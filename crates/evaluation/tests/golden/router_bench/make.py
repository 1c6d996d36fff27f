#!/usr/bin/env python3
"""Makes table.json: LLMRouterBench's numbers of two routers, by NumPy from its definitions.

    git clone https://github.com/ynulihao/LLMRouterBench      # at 0e267fb
    pip install numpy==2.4.6 loguru==0.7.3
    PYTHONPATH=LLMRouterBench ./make.py

Accuracies of the LLMs, of the oracle and of the best LLM of each data set are compared with those of its own code (baselines/aggregators.py), which has
none of the numbers made of them; their definitions are in its README. Random is the expectation of its random router, which is within chance of its draw.
"""

import json
from pathlib import Path

import numpy as np
from baselines.aggregators import BaselineAggregator
from baselines.schema import BaselineRecord

rng = np.random.default_rng(5)
N_PROMPTS, N_MODELS = 60, 4
# Data sets of different sizes, of which the last has graded scores.
tasks = np.repeat([0, 1, 2], [30, 20, 10])
rng.shuffle(tasks)
ability = rng.uniform(0.3, 0.9, (3, N_MODELS))
scores = (rng.uniform(size=(N_PROMPTS, N_MODELS)) < ability[tasks]).astype(np.float64)
scores[tasks == 2] = np.round(scores[tasks == 2] * rng.uniform(0.25, 1, (10, N_MODELS)) * 8) / 8
costs = np.array([1e-3, 2e-3, 4e-3, 9e-3]) * rng.uniform(0.8, 1.25, (N_PROMPTS, N_MODELS))
routers = []
for noise in (0.2, 0.6):
    predicted = np.float32(ability[tasks] + noise * rng.standard_normal((N_PROMPTS, N_MODELS)))
    routers.append((predicted, costs * rng.uniform(0.9, 1.1, costs.shape)))


def by_set(values):
    return np.array([values[tasks == d].mean(axis=0) for d in range(3)])


def check_against_its_code():
    """Means, oracle and random of its own aggregator on the same records."""
    records = [
        BaselineRecord(
            dataset_id=f"d{tasks[i]}", split="test", model_name=f"m{m}", record_index=i, origin_query="", prompt=str(i), prediction="", raw_output=None,
            ground_truth="", score=scores[i, m], prompt_tokens=1, completion_tokens=1, cost=costs[i, m],
        )
        for i in range(N_PROMPTS) for m in range(N_MODELS)
    ]  # fmt: skip
    its = BaselineAggregator(records)
    means = its.aggregate_by_dataset_and_model()
    oracle = its._compute_oracle_stats()
    drawn = its._compute_random_router_by_dataset(its._sample_random_router_once())
    for d in range(3):
        of_models = [means[f"d{d}/test"][f"m{m}"].avg_score for m in range(N_MODELS)]
        assert np.allclose(of_models, by_set(scores)[d], atol=1e-12)
        assert abs(oracle[f"d{d}/test"] - by_set(scores.max(axis=1) > 0)[d]) < 1e-12
        spread = 4 * scores[tasks == d].std() / np.sqrt((tasks == d).sum())
        assert abs(drawn[f"d{d}/test"] - by_set(scores.mean(axis=1))[d]) < spread


def settings(predicted, predicted_costs):
    """(cost, accuracy) of every setting, each once: the argmax changes at crossings of two lines."""
    predicted = predicted.astype(np.float64)
    crossings = [0.0, 1.0]
    for a in range(N_MODELS):
        for b in range(a + 1, N_MODELS):
            score, cost = predicted[:, a] - predicted[:, b], predicted_costs[:, a] - predicted_costs[:, b]
            weight = score / (score + cost)
            crossings.extend(weight[(weight > 0) & (weight < 1)])
    crossings = np.unique(crossings)
    points, last = [], None
    rows = np.arange(N_PROMPTS)
    for weight in [0.0, *(crossings[1:] + crossings[:-1]) / 2]:
        chosen = ((1 - weight) * predicted - weight * predicted_costs).argmax(axis=1)
        if last is None or (chosen != last).any():
            points.append((costs[rows, chosen].mean(), by_set(scores[rows, chosen]).mean()))
        last = chosen
    return points


check_against_its_code()
rows = np.arange(N_PROMPTS)
single = by_set(scores).mean(axis=0)
best = int(single.argmax())
best_cost = costs[:, best].mean()
curves = [np.array(settings(*router)) for router in routers]
everything = np.concatenate([*curves, np.column_stack([costs.mean(axis=0), single])])
low, high = everything.min(axis=0), everything.max(axis=0)
frontier = np.array([p for p in everything if not any((q[0] <= p[0] and q[1] >= p[1]) and (q != p).any() for q in everything)])
expected = []
for (predicted, _), curve in zip(routers, curves):
    accuracy = by_set(scores[rows, predicted.argmax(axis=1)])
    scaled = lambda points: (points - low) / (high - low)
    distance = np.linalg.norm(scaled(curve)[:, np.newaxis] - scaled(frontier)[np.newaxis], axis=2).min(axis=1)
    reached = curve[curve[:, 1] >= single[best] - 1e-9]
    expected.append({
        "avg_acc": accuracy.mean(),
        "gain_at_random": (accuracy / by_set(scores.mean(axis=1)) - 1).mean(),
        "gain_at_best": (accuracy / by_set(scores[:, best]) - 1).mean(),
        "gap_at_oracle": (1 - accuracy / by_set(scores.max(axis=1) > 0)).mean(),
        "perf_gain": curve[:, 1].max() / single[best] - 1,
        "cost_save": 1 - reached[:, 0].min() / best_cost if len(reached) else None,
        "pareto_dist": distance.mean(),
    })  # fmt: skip
table = {
    "tasks": tasks.tolist(), "scores": scores.tolist(), "costs": costs.tolist(),
    "routers": [{"scores": np.float64(p).tolist(), "costs": c.tolist(), "expected": e} for (p, c), e in zip(routers, expected)],
}  # fmt: skip
Path(__file__).with_name("table.json").write_text(json.dumps(table) + "\n")
