"""Writes table.json beside this file: a small table of true and predicted values, and scikit-learn's figures for it.

Made with Python 3.11, numpy 2.2.2 and scikit-learn 1.6.1:

    pip install numpy==2.2.2 scikit-learn==1.6.1
    python make.py

40 prompts and 4 LLMs: enough for both classes of every LLM but the last, which is always right. Scores come in tenths and predictions in
32nds, as from a KNN with k = 32, so that ties in the ROC curve and in the argmax occur.
"""

import json
from pathlib import Path

import numpy as np
from sklearn.metrics import mean_absolute_error, r2_score, roc_auc_score

N_PROMPTS, N_MODELS = 40, 4

rng = np.random.RandomState(42)
ability = np.array([0.3, 0.5, 0.7, 0.9])
scores = np.round(np.clip(ability + 0.35 * rng.randn(N_PROMPTS, N_MODELS), 0, 1), 1).astype(np.float32)
scores[:, 3] = np.maximum(scores[:, 3], np.float32(0.6))
predicted = (np.round(np.clip(0.5 * scores + 0.25 + 0.2 * rng.randn(N_PROMPTS, N_MODELS), 0, 1) * 32) / 32).astype(np.float32)
cost_usd = rng.gamma(2.0, [0.0001, 0.0005, 0.001, 0.005], (N_PROMPTS, N_MODELS))
predicted_cost_usd = cost_usd * rng.uniform(0.5, 1.5, (N_PROMPTS, N_MODELS))

labels = scores > 0.5
both = [m for m in range(N_MODELS) if labels[:, m].min() != labels[:, m].max()]
assert both == [0, 1, 2], both
flat, flat_predicted = scores.astype(np.float64).ravel(), predicted.astype(np.float64).ravel()

table = {
    "scores": scores.astype(np.float64).tolist(),
    "predicted_scores": predicted.astype(np.float64).tolist(),
    "cost_usd": cost_usd.tolist(),
    "predicted_cost_usd": predicted_cost_usd.tolist(),
    "binarized_acc": float(np.mean((predicted > 0.5) == labels)),
    "score_mae": float(mean_absolute_error(flat, flat_predicted)),
    "score_r2": float(r2_score(flat, flat_predicted)),
    "mean_auc": float(np.mean([roc_auc_score(labels[:, m], predicted[:, m]) for m in both])),
    "routing_acc": float(np.mean(scores.astype(np.float64)[np.arange(N_PROMPTS), np.argmax(predicted, axis=1)])),
    "best_single": float(np.max(np.mean(scores.astype(np.float64), axis=0))),
    "oracle": float(np.mean(np.max(scores.astype(np.float64), axis=1))),
    "cost_mae": float(mean_absolute_error(cost_usd.ravel(), predicted_cost_usd.ravel())),
}
Path(__file__).with_name("table.json").write_text(json.dumps(table) + "\n")
