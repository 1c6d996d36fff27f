#!/usr/bin/env python3
"""Writes sklearn.json: what scikit-learn's multinomial LogisticRegression says of a small log.

    pip install numpy==2.4.6 scikit-learn==1.9.1
    python3 make.py

150 rows of 6 dimensions, of length 1 in float32, so that both sides start from the same numbers, and 9 queries. Each row was asked of one of four
LLMs, the last of which has few rows. One fit for each alpha, which is 1 / C.
"""

import json
from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression

ALPHAS = [30.0, 1.0, 0.03]
rng = np.random.default_rng(15)


def unit(rows):
    rows = rows.astype(np.float32).astype(np.float64)
    return (rows / np.sqrt((rows**2).sum(axis=1, keepdims=True))).astype(np.float32)


rows, queries = unit(rng.standard_normal((150, 6)) + 0.3), unit(rng.standard_normal((9, 6)))
logits = 3 * rows.astype(np.float64) @ rng.standard_normal((6, 4)) + [0.5, 0.0, 0.0, -2.0]
odds = np.exp(logits)
asked = (np.cumsum(odds / odds.sum(axis=1, keepdims=True), axis=1) > rng.uniform(size=(150, 1))).argmax(axis=1)
predicted = []
for alpha in ALPHAS:
    model = LogisticRegression(C=1 / alpha, tol=1e-12, max_iter=100_000).fit(rows.astype(np.float64), asked)
    predicted.append(model.predict_proba(queries.astype(np.float64)).tolist())
golden = {
    "alphas": ALPHAS, "rows": rows.tolist(), "queries": queries.tolist(), "asked": asked.tolist(), "predicted": predicted,
}
Path(__file__).with_name("sklearn.json").write_text(json.dumps(golden) + "\n")
