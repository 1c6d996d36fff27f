#!/usr/bin/env python3
"""Writes sklearn.json: principal components, kernel principal components and Isomap errors of three small sets of points by scikit-learn.

    pip install numpy==2.4.6 scipy==1.17.1 scikit-learn==1.9.1
    python3 make.py

`surface`: 500 points near a rolled-up sheet in 6 dimensions, so many that eigenvalues are found by iteration; `apart`: four clusters, two of
them with points that are there more than once, which a graph of 5 neighbors leaves unconnected; `wide`: fewer points than dimensions.
Coordinates are multiples of 1/1024 and stand in that unit: exact in float32, and short.
"""

import json
import warnings
from pathlib import Path

import numpy as np
from scipy.sparse.csgraph import connected_components
from sklearn.decomposition import PCA, KernelPCA
from sklearn.manifold import Isomap
from sklearn.neighbors import kneighbors_graph

rng = np.random.default_rng(11)


def surface():
    angle, height = 3 + 9 * rng.uniform(size=500), 20 * rng.uniform(size=500)
    rolled = np.stack([angle * np.cos(angle), height, angle * np.sin(angle)], axis=1)
    return np.concatenate([rolled, np.zeros((500, 3))], axis=1) / 8 + 0.01 * rng.standard_normal((500, 6))


def apart():
    centers = np.repeat(3 * np.eye(4), [30, 25, 20, 15], axis=0)
    points = centers + 0.3 * rng.standard_normal(centers.shape)
    points[1:4] = points[0]
    points[60] = points[59]
    return rng.permutation(points)


def wide():
    return rng.standard_normal((20, 30)) * 0.9 ** np.arange(30)


cases = []
for name, points, n_kernel, n_neighbors, ks in (
    ("surface", surface(), 20, 10, [1, 2, 5, 20]),
    ("apart", apart(), 10, 5, [1, 2, 3, 5]),
    ("wide", wide(), 50, 6, [1, 2, 4]),
):
    points = np.round(points * 1024) / 1024
    n, dim = points.shape
    pca = PCA().fit(points)
    kernel = KernelPCA(n_kernel, kernel="rbf", gamma=1 / dim).fit(points)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # That the graph is not connected.
        errors = [Isomap(n_neighbors=n_neighbors, n_components=k).fit(points).reconstruction_error() for k in ks]
    cases.append({
        "name": name, "points": (points * 1024).astype(int).tolist(), "variances": pca.explained_variance_.tolist(),
        "variance_ratios": pca.explained_variance_ratio_.tolist(),
        "n_dimensions": [int(np.argmax(np.cumsum(pca.explained_variance_ratio_) >= share)) + 1 for share in (0.9, 0.95, 0.99)],
        "kernel_eigenvalues": kernel.eigenvalues_.tolist(), "n_kernel_components": n_kernel,
        "n_neighbors": n_neighbors, "n_parts": int(connected_components(kneighbors_graph(points, n_neighbors))[0]),
        "isomap_components": ks, "isomap_errors": errors,
    })
    print(name, cases[-1]["n_dimensions"], cases[-1]["n_parts"], np.round(errors, 4))
Path(__file__).with_name("sklearn.json").write_text(json.dumps(cases))
