#!/usr/bin/env python3
"""Writes `matrix.pickle` and `shifted.pickle`, laid out as CARROT's published matrix, with scores that the tests know by formula.

    python -m venv a && a/bin/pip install numpy==2.4.6 && a/bin/python make.py    # Python 3.11

A document is solved by every LLM whose ability is above its difficulty. Each LLM's scores are stored as `WIDTHS` ranks gather them. The last LLM
lacks MMLU-Pro, and one is on no price list. In the second file the scores of gemma-2b-it are stored one row further on.
"""

import pickle
from pathlib import Path

import numpy as np

TASKS = {"leaderboard_bbh_navigate": 101, "leaderboard_ifeval": 40, "leaderboard_math_geometry_hard": 67, "leaderboard_mmlu_pro": 120}
ABILITIES = {
    "01-ai__Yi-34B-Chat": 0.4,
    "nobody__unknown": 0.5,
    "Qwen__Qwen2.5-7B-Instruct": 0.5,
    "Qwen__Qwen2.5-72B-Instruct": 0.7,
    "google__gemma-2b-it": 0.2,
    "upstage__SOLAR-10.7B-Instruct-v1.0": 0.3,
}
WIDTHS = [1, 1, 8, 2, 4, 8]


def score(ability, task, document):
    # The same in tests/cli/published.rs.
    return float(ability > (document * 37 + task * 11) % 101 / 101)


def gathered(column, width):
    return np.concatenate([column[rank::width] for rank in range(width)])


def matrix(shifted):
    matrix = {}
    for t, (task, n) in enumerate(TASKS.items()):
        columns = {
            model: np.roll(gathered(np.array([score(ability, t, d) for d in range(n)]), width), int(model == shifted))
            for (model, ability), width in zip(ABILITIES.items(), WIDTHS)
        }
        if task == "leaderboard_mmlu_pro":
            columns.popitem()
        correctness = np.array(list(columns.values()))
        if task == "leaderboard_ifeval":
            weights = np.ones(n)
            correctness = {"correctness_inst": correctness / 2, "weights_inst": weights, "correctness_prompt": correctness, "weights_prompt": weights}
        matrix[task] = {"correctness": correctness, "models": [f"open-llm-leaderboard/{model}-details" for model in columns]}
    return matrix


for name, shifted in [("matrix.pickle", None), ("shifted.pickle", "google__gemma-2b-it")]:
    with open(Path(__file__).with_name(name), "wb") as file:
        pickle.dump(matrix(shifted), file)
