#!/usr/bin/env python3
"""Writes sklearn.json: the inertia that scikit-learn's KMeans reaches on a small table, from given initial centroids.

    pip install numpy==2.4.6 scikit-learn==1.9.1
    python3 make.py

300 unit rows of 8 dimensions around 12 directions, with noise enough that the clusters overlap; 3, 8 and 20 clusters.
"""

import json
from pathlib import Path

import numpy as np
from sklearn.cluster import KMeans

rng = np.random.default_rng(11)
directions = rng.standard_normal((12, 8))
rows = directions[rng.integers(12, size=300)] + 0.6 * rng.standard_normal((300, 8))
rows = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
cases = []
for k in (3, 8, 20):
    initial = rows[rng.choice(300, k, replace=False)]
    fitted = KMeans(k, init=initial.astype(np.float64), n_init=1, max_iter=300, tol=0, algorithm="lloyd").fit(rows.astype(np.float64))
    cases.append({"initial": initial.tolist(), "inertia": fitted.inertia_})
Path(__file__).with_name("sklearn.json").write_text(json.dumps({"rows": rows.tolist(), "cases": cases}))
