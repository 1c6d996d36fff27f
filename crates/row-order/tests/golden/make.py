"""Makes audit.json: widths by exhaustive search, z and correlations by NumPy, nothing in common with the crate but the definitions.

Run with NumPy 2.4.6: python make.py
"""

import itertools
import json
import pathlib

import numpy as np

WIDTHS = [1, 2, 4, 8]
PLANTED = [1, 4, 8, 8, 2]
LENGTHS = [61, 40, 87]


def order(n, width):
    return np.concatenate([np.arange(rank, n, width) for rank in range(width)])


def in_documents_order(column, width):
    documents = np.empty_like(column)
    documents[order(len(column), width)] = column
    return documents


rng = np.random.default_rng(42)
tasks = []
for n in LENGTHS:
    difficulty = rng.uniform(size=n)
    noise = rng.uniform(-0.25, 0.25, size=(len(PLANTED), n))
    scores = (rng.uniform(0.3, 0.7, size=(len(PLANTED), 1)) > difficulty + noise).astype(float)
    tasks.append([row[order(n, width)] for row, width in zip(scores, PLANTED)])
tasks[0][1][rng.choice(LENGTHS[0], 9, replace=False)] = np.nan
tasks[1][2] = None
tasks[2][0][:] = 1.0

# Unknown scores count as the mean; what is absent or constant, as nothing.
filled = [
    [None if c is None or np.nanstd(c) == 0 else np.where(np.isnan(c), np.nanmean(c), c) for c in task] for task in tasks
]
known = [[0 if c is None else int(np.sum(~np.isnan(c))) for c in task] for task in tasks]


def standardized(t, i, width):
    c = in_documents_order(filled[t][i], width)
    return (c - c.mean()) / c.std() * np.sqrt(known[t][i] / len(c))


def product(i, a, j, b):
    return sum(
        standardized(t, i, a) @ standardized(t, j, b)
        for t in range(len(tasks))
        if filled[t][i] is not None and filled[t][j] is not None
    )


pairs = list(itertools.combinations(range(len(PLANTED)), 2))
products = {(i, a, j, b): product(i, a, j, b) for i, j in pairs for a in WIDTHS for b in WIDTHS}
totals = {
    widths: sum(products[i, widths[i], j, widths[j]] for i, j in pairs)
    for widths in itertools.product(WIDTHS, repeat=len(PLANTED))
}
found = max(totals, key=totals.get)


def z(i, width):
    product, variance = 0.0, 0.0
    for t, n in enumerate(LENGTHS):
        if filled[t][i] is None:
            continue
        own = standardized(t, i, width)
        others = sum(
            standardized(t, j, found[j]) for j in range(len(PLANTED)) if j != i and filled[t][j] is not None
        )
        product += own @ others
        # The variance of an inner product under random order, by its definition: n - 1 times the product of the sample variances.
        variance += (n - 1) * np.var(own, ddof=1) * np.var(others, ddof=1)
    return product / np.sqrt(variance)


def mean_correlation(i, widths):
    correlations = []
    for j in range(len(PLANTED)):
        if j == i:
            continue
        both = [t for t in range(len(tasks)) if filled[t][i] is not None and filled[t][j] is not None]
        r = [
            np.corrcoef(in_documents_order(filled[t][i], widths[i]), in_documents_order(filled[t][j], widths[j]))[0, 1]
            for t in both
        ]
        correlations.append(np.average(r, weights=[np.sqrt(known[t][i] * known[t][j]) for t in both]))
    return np.mean(correlations)


def pair_correlation(t, widths):
    columns = [in_documents_order(c, w) for c, w in zip(filled[t], widths) if c is not None]
    return np.corrcoef(columns)[np.triu_indices(len(columns), 1)].mean()


models = []
for i in range(len(PLANTED)):
    others = [width for width in WIDTHS if width != found[i]]
    runner_up = max(others, key=lambda width: z(i, width))
    models.append(
        {
            "best_width": found[i],
            "z": z(i, found[i]),
            "runner_up_width": runner_up,
            "runner_up_z": z(i, runner_up),
            "mean_correlation_published": mean_correlation(i, [1] * len(PLANTED)),
            "mean_correlation_found": mean_correlation(i, found),
        }
    )

golden = {
    "numpy": np.__version__,
    "planted": PLANTED,
    "tasks": [
        [None if c is None else [None if np.isnan(x) else float(x) for x in c] for c in task] for task in tasks
    ],
    "models": models,
    "pair_correlations": [
        [pair_correlation(t, [1] * len(PLANTED)), pair_correlation(t, found)] for t in range(len(tasks))
    ],
}
path = pathlib.Path(__file__).with_name("audit.json")
path.write_text(json.dumps(golden) + "\n")
