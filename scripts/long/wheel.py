#!/usr/bin/env python3
"""The Python package: its wheel, its tests, its notebook, and its speed beside scikit-learn's.

usage: scripts/long/wheel.py [--wheel FILE] [--runs N]

Builds the wheel with maturin (installed into an environment of its own), and fails unless
  - it is smaller than 15 MB;
  - `pip install` into an empty environment brings NumPy and nothing else, and it works there;
  - crates/carrot-py/tests pass, with predictions equal to train-and-infer's to the last bit;
  - examples/python.ipynb and the two files in integrations/ for the field's programs run;
  - k-nearest-neighbors on 8,000 x 1,536 is tuned and fitted at least 15 times as fast as scikit-learn does it, in the same process (the median of
    N runs of either side, 3 unless --runs says otherwise).
"""

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from bench import BIN, ROOT, Bench, build, environment
from serving import venv

MATURIN = "maturin==1.9.6"
MAX_BYTES = 15_000_000
LEAST_RATIO = 15
CRATE = ROOT / "crates/carrot-py"
ROUTERS = "carrot-knn carrot-linear carrot-kernel carrot-cluster carrot-blend".split()

EMPTY = """
import numpy as np, carrot_router
rng = np.random.default_rng(0)
X = rng.standard_normal((200, 16)).astype(np.float32)
scores = (X[:, :3] > 0).astype(np.float32)
router = carrot_router.CarrotBlend().fit(X, scores, np.full(scores.shape, .001))
assert router.predict(X).shape == (200, 3)
"""

SPEED = """
import statistics, sys, time
sys.path.insert(0, sys.argv[1])
from bench_knn import KS, N_FOLDS, make_table
import numpy as np
from carrot_router import CarrotKNN
from sklearn.model_selection import cross_val_score
from sklearn.neighbors import KNeighborsRegressor

X, scores, tokens = make_table(8000, 1536, 13, seed=0)
costs = (100.0 + tokens) / 1e6

def ours():
    return CarrotKNN(selection="paper").fit(X, scores, costs)

def theirs():
    for target in (scores.astype(np.float64), costs):
        table = [cross_val_score(KNeighborsRegressor(k, metric="cosine"), X, target, cv=N_FOLDS).mean() for k in KS]
        KNeighborsRegressor(KS[int(np.argmax(table))], metric="cosine").fit(X, target)

def seconds(fit):
    start = time.perf_counter()
    fit()
    return time.perf_counter() - start

runs = int(sys.argv[2])
a, b = ([seconds(fit) for _ in range(runs)] for fit in (ours, theirs))
a, b = statistics.median(a), statistics.median(b)
print(f"KNN tuned and fitted on 8,000 x 1,536: {a:.2f} s, scikit-learn {b:.2f} s, ratio {b / a:.1f}")
sys.exit(b / a < float(sys.argv[3]))
"""


def run(*command, **options):
    """Ends the script where a command fails."""
    if subprocess.run([str(word) for word in command], **options).returncode != 0:
        sys.exit(f"wheel: failed: {' '.join(map(str, command))[:300]}")


def built(folder):
    """The wheel, made into a folder."""
    python = venv("maturin", MATURIN)
    more = {"CARGO_TARGET_DIR": str(BIN.parent)}
    run(python, "-m", "maturin", "build", "--locked", "--out", folder, "-m", CRATE / "Cargo.toml", env=os.environ | more)
    (wheel,) = Path(folder).glob("*.whl")
    return wheel


def fresh(folder, wheel, *requirements):
    """The Python of a new environment with the wheel."""
    run(sys.executable, "-m", "venv", folder)
    python = folder / "bin/python"
    run(python, "-m", "pip", "install", "-q", "--disable-pip-version-check", wheel, *requirements)
    return python


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--wheel", type=Path, help="this one, instead of building one")
    parser.add_argument("--runs", type=int, default=3)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="carrot-wheel-") as name:
        folder = Path(name)
        wheel = (args.wheel or built(folder)).resolve()
        n_bytes = wheel.stat().st_size
        print(f"wheel: {wheel.name} has {n_bytes} bytes", flush=True)
        if n_bytes >= MAX_BYTES:
            sys.exit(f"wheel: expected fewer than {MAX_BYTES}")

        empty = fresh(folder / "empty", wheel)
        listed = subprocess.run([empty, "-m", "pip", "list", "--format=freeze"], check=True, capture_output=True, text=True).stdout
        brought = {line.split("==")[0].split(" @")[0] for line in listed.splitlines()} - {"pip", "setuptools"}
        if brought != {"carrot-router", "numpy"}:
            sys.exit(f"wheel: an empty environment then has {sorted(brought)}, expected carrot-router and numpy")
        run(empty, "-c", EMPTY, cwd=folder)

        python = fresh(folder / "tests", wheel, "-r", CRATE / "tests/requirements.txt")
        build("gen-synthetic", "train-and-infer")
        bench = Bench()
        bench.succeed("gen-synthetic", "-q", "--n", "1500", "--name", "wheel")
        bench.succeed("train-and-infer", "-q", "--dataset", "wheel", "--routers", *ROUTERS, "--embedding", "minilm")
        bench.succeed("train-and-infer", "-q", "--dataset", "wheel", "--routers", "carrot-linear", "mf", "--embedding", "minilm", "--cross-fit", "5")
        plain = environment() | {"CARROT_TEST_DATA_SET": str(bench.folder / "data/wheel")}
        run(python, "-m", "pytest", "-q", "-p", "no:cacheprovider", CRATE / "tests", cwd=folder, env=plain)
        run(python, ROOT / "integrations/check_python.py", bench.folder / "models/wheel/carrot-blend", bench.folder / "models/all-MiniLM-L6-v2", env=plain)
        notebook = "import nbformat, sys; from nbclient import NotebookClient; NotebookClient(nbformat.read(sys.argv[1], 4), timeout=600).execute()"
        run(python, "-c", notebook, ROOT / "examples/python.ipynb", cwd=folder, env=plain)
        # What holds BLAS back here would not be scikit-learn's fault.
        fast = {key: value for key, value in os.environ.items() if key not in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")}
        run(python, "-m", "pip", "install", "-q", "--disable-pip-version-check", "pyarrow==26.0.1")
        run(python, "-c", SPEED, ROOT / "scripts", args.runs, LEAST_RATIO, env=fast)
    print("wheel: all is as it should be")


main()
