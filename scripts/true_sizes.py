#!/usr/bin/env python3
"""The paper's reproduction at its true sizes, stage by stage, beside the reference's own steps in scikit-learn and PyTorch on the same input.

    pip install -r scripts/requirements-bench.txt
    scripts/true_sizes.py                                        all three data sets, every router but RoBERTa: hours on two cores
    scripts/true_sizes.py --tables open-llm --routers rorf mf    a part of it
    scripts/true_sizes.py --share 0.1                            a tenth of the rows, to see whether all runs
    scripts/true_sizes.py --no-reference                         ours alone

Tables have the rows and LLMs of RouterBench (35,712 x 11), SPROUT (44,241 x 13) and the Open LLM Leaderboard (21,065 x 18), a fifth of the rows for
the test, and embeddings of 1,536 dimensions as text-embedding-3-small's; embeddings, scores and lengths are made up (bench_knn.py). Embedding itself
is left out: scripts/bench_embed.py times it. carrot-knn-sbert is carrot-knn on other embeddings, and so is not run again.

ours: `cargo run -p train-and-infer`; times are those of its manifest. Reference, by somerstep/CARROT at 3e6acff: carrot-knn by cross_val_score and
KNeighborsRegressor (9 k, 5 folds, two targets), rorf by RandomForestClassifier(random_state=42), mf by a PyTorch loop of 100 epochs. The other routers
are ours alone. With --folds 1 scikit-learn judges each k on the first fold alone, and five times that is shown. A run of either side is made once, one
after the other. What else the machine did is told by its load; it lengthens seconds, and hardly the processor's seconds (cpu), which the ratios are of.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path

for name in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"):
    os.environ.pop(name, None)
sys.path.insert(0, str(Path(__file__).resolve().parent))

import numpy as np

from bench_knn import KS, N_FOLDS, ROOT, make_table, write_data_set
from bench_routers import fit_torch, outcomes

TABLES = {"routerbench": (35_712, 11), "sprout": (44_241, 13), "open-llm": (21_065, 18)}
DIM = 1_536
OURS = ["carrot-knn", "carrot-linear", "carrot-kernel", "carrot-cluster", "carrot-blend", "mf", "rorf"]


class Watch:
    """Seconds, and seconds of processors, since it was made; those of programs that have ended count too."""

    def __init__(self):
        self.start = self.now()

    @staticmethod
    def now():
        return time.perf_counter(), sum(os.times()[:4])

    def read(self):
        return tuple(now - start for now, start in zip(self.now(), self.start))


def reference_knn(train, test, n_folds):
    from sklearn.model_selection import KFold, cross_val_score
    from sklearn.neighbors import KNeighborsRegressor

    tuned, predicted = (0.0, 0.0), (0.0, 0.0)
    add = lambda a, b, times=1: tuple(x + times * y for x, y in zip(a, b))
    folds = list(KFold(N_FOLDS).split(train[0]))[:n_folds]
    for target in train[1:]:
        target, watch = target.astype(np.float64), Watch()
        means = [cross_val_score(KNeighborsRegressor(k, metric="cosine"), train[0], target, cv=folds).mean() for k in KS]
        tuned, watch = add(tuned, watch.read(), N_FOLDS / n_folds), Watch()
        KNeighborsRegressor(KS[int(np.argmax(means))], metric="cosine").fit(train[0], target).predict(test[0])
        predicted = add(predicted, watch.read())
    return {"fit": tuned, "predict": predicted}


def right(part):
    """Whether the small LLM, here the first, and the large one, the last, answer right."""
    return part[1][:, 0] > 0.5, part[1][:, -1] > 0.5


def reference_rorf(train, test, _):
    from sklearn.ensemble import RandomForestClassifier

    watch = Watch()
    forest = RandomForestClassifier(random_state=42, n_jobs=os.cpu_count()).fit(train[0], outcomes(right(train)))
    fit, watch = watch.read(), Watch()
    forest.predict_proba(test[0])
    return {"fit": fit, "predict": watch.read()}


def reference_mf(train, test, _):
    small, large = right(train)
    rng = np.random.default_rng(0)
    validation = np.sort(rng.choice(len(small), len(small) // 10, replace=False))
    watch = Watch()
    fit_torch(train[0], (small >= large).astype(np.uint8), validation, seed=42)
    return {"fit": watch.read()}


REFERENCES = {"carrot-knn": reference_knn, "rorf": reference_rorf, "mf": reference_mf}


def ours(data_dir, models_dir, table, router):
    command = ["cargo", "run", "--quiet", "-p", "train-and-infer", "--", "--dataset", table, "--routers", router, "--embedding", "bench",
               "--data-dir", data_dir, "--models-dir", models_dir, "--quiet", "--json"]
    watch = Watch()
    subprocess.run(list(map(str, command)), check=True, cwd=ROOT, stdout=subprocess.DEVNULL)
    whole = watch.read()
    manifest = json.loads((data_dir / table / f"preds/{router}.json").read_text())
    stages = {stage["name"]: stage["seconds"] for stage in manifest["timings"]["stages"]}
    return stages, whole, manifest["timings"]["peak-memory-bytes"]


def shown(stages):
    return ", ".join(f"{name} {seconds:.2f} s" for name, seconds in stages.items())


def run_table(table, args):
    n_rows, n_models = TABLES[table]
    n_rows = int(n_rows * args.share)
    n_train = n_rows - n_rows // 5
    whole = make_table(n_rows, DIM, n_models, seed=0)
    train, test = [part[:n_train] for part in whole], [part[n_train:] for part in whole]
    models = [f"llm-{m}" for m in range(n_models)]
    print(f"{table}: {n_train:,} train and {n_rows - n_train:,} test rows, {n_models} LLMs, {DIM} dimensions", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        data_dir, models_dir = Path(folder) / "data", Path(folder) / "models"
        write_data_set(data_dir / table, {"train": train, "test": test}, models)
        path = data_dir / table / "dataset.json"
        info = json.loads(path.read_text())
        info["pair"] = {"small": models[0], "large": models[-1]}
        path.write_text(json.dumps(info))
        for router in args.routers:
            stages, (seconds, cpu), memory = ours(data_dir, models_dir, table, router)
            load = os.getloadavg()[0]
            print(f"  {router:<15} {seconds:8.1f} s, cpu {cpu:8.1f} s, {memory / 2**30:.2f} GiB, load {load:.1f}: {shown(stages)}", flush=True)
            if router in REFERENCES and not args.no_reference:
                reference = REFERENCES[router](train, test, args.folds)
                seconds, their_cpu = map(sum, zip(*reference.values()))
                load = os.getloadavg()[0]
                stages = {name: stage[0] for name, stage in reference.items()}
                print(f"  {'reference':<15} {seconds:8.1f} s, cpu {their_cpu:8.1f} s, load {load:.1f}: {shown(stages)}; {their_cpu / cpu:.1f} times our whole program's cpu",
                      flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tables", nargs="+", choices=list(TABLES), default=list(TABLES))
    parser.add_argument("--routers", nargs="+", choices=OURS, default=OURS)
    parser.add_argument("--share", type=float, default=1.0, help="share of the rows; below .05 there are fewer than the 512 neighbors that scikit-learn is asked for")
    parser.add_argument("--no-reference", action="store_true")
    parser.add_argument("--folds", type=int, choices=range(1, N_FOLDS + 1), default=N_FOLDS, help="folds on which scikit-learn judges each k, of five")
    args = parser.parse_args()
    subprocess.run(["cargo", "build", "--quiet", "-p", "train-and-infer"], check=True, cwd=ROOT)
    print(f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores", flush=True)
    for table in args.tables:
        run_table(table, args)


if __name__ == "__main__":
    main()
