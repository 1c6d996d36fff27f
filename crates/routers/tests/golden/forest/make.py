#!/usr/bin/env python3
"""Writes sklearn.json: what scikit-learn's trees and forests predict on small tables.

    pip install numpy==2.4.6 scikit-learn==1.9.1
    python3 make.py

A single tree on all features and all rows is a matter of arithmetic, unless two splits are equally good: then scikit-learn takes the feature
that it drew first, and the lower threshold. `exact_tree` fails where that matters: other draws, or a table that is turned around, would
give another tree. A forest is compared by its log-loss and AUROC over many seeds.
"""

import json
from pathlib import Path

import numpy as np
import sklearn
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import log_loss, roc_auc_score
from sklearn.tree import DecisionTreeClassifier

SEEDS = range(20)


def short(rows):
    """Float32 values in as few digits as name them."""
    return [[float(str(value)) for value in row] for row in rows]


def table(rng, n_rows, n_features, n_classes, decimals):
    """Rows whose first two features say something about the class."""
    rows = np.round(rng.standard_normal((n_rows, n_features)), decimals).astype(np.float32)
    logits = 1.5 * rows[:, :1] * np.linspace(-1, 1, n_classes) + rows[:, 1 % n_features, None] * np.cos(np.arange(n_classes))
    labels = np.argmax(logits + rng.gumbel(size=logits.shape), axis=1)
    return rows, labels


def exact_tree(name, rng, n_rows, n_features, n_classes, decimals, **limits):
    rows, labels = table(rng, n_rows, n_features, n_classes, decimals)
    queries = table(rng, 100, n_features, n_classes, decimals)[0]
    tree = DecisionTreeClassifier(random_state=0, **limits).fit(rows, labels)
    probabilities = tree.predict_proba(queries)
    for seed in SEEDS:
        same = DecisionTreeClassifier(random_state=seed, **limits).fit(rows, labels)
        turned = DecisionTreeClassifier(random_state=seed, **limits).fit(-rows, labels)
        assert (same.predict_proba(queries) == probabilities).all(), f"{name}: a tie between features"
        # On the threshold itself a turned tree goes the other way, but no query stands there.
        assert (turned.predict_proba(-queries) == probabilities).all(), f"{name}: a tie between thresholds"
    return {
        "name": name, "n_classes": n_classes, "max_depth": limits.get("max_depth"), "min_samples_leaf": limits.get("min_samples_leaf", 1),
        "rows": short(rows), "labels": labels.tolist(), "queries": short(queries), "probabilities": probabilities.tolist(),
        "n_nodes": int(tree.tree_.node_count),
    }


def forest(rng):
    rows, labels = table(rng, 300, 6, 4, 2)
    queries, truths = table(rng, 400, 6, 4, 2)
    losses, aurocs = [], []
    for seed in SEEDS:
        probabilities = RandomForestClassifier(random_state=seed).fit(rows, labels).predict_proba(queries)
        # A class that no tree saw in a leaf would cost an infinite loss.
        losses.append(log_loss(truths, 0.99 * probabilities + 0.01 / 4))
        aurocs.append(roc_auc_score(truths >= 2, probabilities[:, 2:].sum(axis=1)))
    return {
        "rows": short(rows), "labels": labels.tolist(), "queries": short(queries), "truths": truths.tolist(),
        "log_loss": {"mean": np.mean(losses), "deviation": np.std(losses, ddof=1)},
        "auroc": {"mean": np.mean(aurocs), "deviation": np.std(aurocs, ddof=1)},
    }


rng = np.random.default_rng(12)
golden = {
    "versions": {"numpy": np.__version__, "scikit-learn": sklearn.__version__},
    "trees": [
        # As deep as it gets; one feature, because in tiny nodes any feature is as good as another.
        exact_tree("one feature, unlimited", rng, 60, 1, 3, 6, min_samples_leaf=1),
        # Enough rows for a root that is counted in buckets.
        exact_tree("five features", rng, 400, 5, 4, 6, min_samples_leaf=20),
        exact_tree("limited depth", rng, 300, 5, 2, 6, max_depth=3),
        # Many equal values.
        exact_tree("one decimal", rng, 400, 3, 4, 1, min_samples_leaf=25),
    ],
    "forest": forest(rng),
}
Path(__file__).with_name("sklearn.json").write_text(json.dumps(golden))
print({tree["name"]: tree["n_nodes"] for tree in golden["trees"]}, {key: golden["forest"][key] for key in ("log_loss", "auroc")})
