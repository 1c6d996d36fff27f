#!/usr/bin/env python3
"""Writes sklearn.json: what scikit-learn's KNN regression chooses and predicts on a small table.

    pip install numpy==2.4.6 scikit-learn==1.9.1
    python3 make.py

97 rows, so that folds differ in length (20, 20, 19, 19, 19); 6 dimensions, so that no two similarities are close enough for rounding to
matter; two targets of which one is in the hundreds, as token counts are.
"""

import json
from pathlib import Path

import numpy as np
from sklearn.model_selection import cross_val_score
from sklearn.neighbors import KNeighborsRegressor

KS = [2, 4, 8, 16, 32, 64]
rng = np.random.default_rng(7)
rows = rng.standard_normal((97, 6)).astype(np.float32)
queries = rng.standard_normal((11, 6)).astype(np.float32)
scores = (rng.uniform(size=(97, 3)) < 1 / (1 + np.exp(-2 * rows[:, :3]))).astype(np.float32)
tokens = np.round(np.exp(5 + rows[:, 3:5] + 0.3 * rng.standard_normal((97, 2)))).astype(np.float32)
scores[:, 2] = 1  # An output that is the same everywhere.

golden = {"ks": KS, "rows": rows.tolist(), "queries": queries.tolist(), "targets": []}
for name, target in (("score", scores), ("output_tokens", tokens)):
    table = [
        cross_val_score(KNeighborsRegressor(k, metric="cosine"), rows.astype(np.float64), target.astype(np.float64), cv=5).mean()
        for k in KS
    ]
    best = KS[int(np.argmax(table))]
    model = KNeighborsRegressor(best, metric="cosine").fit(rows.astype(np.float64), target.astype(np.float64))
    golden["targets"].append({
        "name": name, "values": target.tolist(), "mean_r2": table, "k": best,
        "predictions": model.predict(queries.astype(np.float64)).tolist(),
    })
Path(__file__).with_name("sklearn.json").write_text(json.dumps(golden))
