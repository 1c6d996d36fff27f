#!/usr/bin/env python3
"""Writes sklearn.json: what scikit-learn's Ridge, and its Nystroem under Ridge, predict on a small table.

    pip install numpy==2.4.6 scikit-learn==1.9.1
    python3 make.py

83 rows of 7 dimensions, of length 1 in float32, so that both sides start from the same numbers. Landmarks are 40 of the rows, or all: Nystroem
fitted to the landmarks alone takes each of them. Targets: scores of three LLMs, and token counts of two. In the sparse targets a third of the
values is unknown (null), each LLM's own, in the nearly complete ones three values are; scikit-learn then fits a model per LLM to its known rows.

Also the table of a cross-validation: for each alpha and gamma the mean squared error of differences between LLMs, out of the folds of
`folds`. It has no score of scikit-learn's to go by, and is written here in plain NumPy.
"""

import json
from pathlib import Path

import numpy as np
from sklearn.kernel_approximation import Nystroem
from sklearn.linear_model import Ridge

ALPHAS = [30.0, 1.0, 0.01]
GAMMAS = [0.5, 2.0]
N_FOLDS = 4
rng = np.random.default_rng(14)


def unit(rows):
    rows = rows.astype(np.float32).astype(np.float64)
    return (rows / np.sqrt((rows**2).sum(axis=1, keepdims=True))).astype(np.float32)


rows, queries = unit(rng.standard_normal((83, 7)) + 0.5), unit(rng.standard_normal((9, 7)))
scores = (rng.uniform(size=(83, 3)) < 1 / (1 + np.exp(-4 * rows[:, :3]))).astype(np.float32)
tokens = np.round(np.exp(5 + 2 * rows[:, 3:5] + 0.3 * rng.standard_normal((83, 2)))).astype(np.float32)
targets = [("score", scores), ("output_tokens", tokens)]
for name, values in list(targets):
    sparse = values.copy()
    sparse[rng.uniform(size=sparse.shape) < 1 / 3] = np.nan
    targets.append((f"sparse_{name}", sparse))
nearly = scores.copy()
nearly[[5, 40, 61], [0, 1, 1]] = np.nan
targets.append(("nearly_complete_score", nearly))


def features(landmarks, gamma, x):
    """The linear learner has neither."""
    x = x.astype(np.float64)
    if gamma is None:
        return x
    landmarks = landmarks.astype(np.float64)
    return Nystroem(kernel="rbf", gamma=gamma, n_components=len(landmarks), random_state=0).fit(landmarks).transform(x)


def predict(x, y, x_new, alpha):
    """A model per column on its known rows; NaN where none is known."""
    columns = []
    for column in y.T.astype(np.float64):
        known = ~np.isnan(column)
        columns.append(Ridge(alpha=alpha, fit_intercept=True).fit(x[known], column[known]).predict(x_new))
    return np.stack(columns, axis=1)


def difference_error(x, y, folds, alpha):
    predicted = np.full(y.shape, np.nan)
    for fold in np.unique(folds):
        predicted[folds == fold] = predict(x[folds != fold], y[folds != fold], x[folds == fold], alpha)
    error = predicted - y
    error = error[(~np.isnan(error)).sum(axis=1) > 1]
    return np.nanmean((error - np.nanmean(error, axis=1, keepdims=True)) ** 2)


# Which row is in which fold is the caller's choice: every fourth.
folds = np.arange(len(rows)) % N_FOLDS
chosen = np.sort(rng.choice(len(rows), 40, replace=False))
cases = []
for landmarks, gamma in [(None, None)] + [(chosen, g) for g in GAMMAS] + [(np.arange(len(rows)), g) for g in GAMMAS]:
    marks = None if landmarks is None else rows[landmarks]
    x, x_new = features(marks, gamma, rows), features(marks, gamma, queries)
    for alpha in ALPHAS:
        cases.append({
            "landmarks": None if landmarks is None else landmarks.tolist(), "gamma": gamma, "alpha": alpha,
            "predictions": [predict(x, y, x_new, alpha).tolist() for _, y in targets],
            "difference_errors": [difference_error(x, y, folds, alpha) for _, y in targets],
        })

golden = {
    "rows": rows.tolist(), "queries": queries.tolist(), "folds": folds.tolist(), "cases": cases,
    "targets": [{"name": name, "values": [[None if np.isnan(v) else float(v) for v in row] for row in values]} for name, values in targets],
}
Path(__file__).with_name("sklearn.json").write_text(json.dumps(golden))
