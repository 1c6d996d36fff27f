#!/usr/bin/env python3
"""Makes the files of this folder: routers, embeddings and predictions as version 0.1.0 of the workspace wrote them, at commit 5833ceb.

Newer programs must go on opening them. Do not make them with a newer program; a new format gets a folder of its own.

    pip install numpy==2.4.6 pyarrow==26.0.1
    git worktree add ../old 5833ceb && (cd ../old && cargo build -p gen-synthetic -p train-and-infer)
    python3 make.py ../old/target/debug
"""

import pathlib
import shutil
import subprocess
import sys
import tempfile

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

HERE = pathlib.Path(__file__).resolve().parent
PROGRAMS = pathlib.Path(sys.argv[1]).resolve()
DIM = 12


def main():
    with tempfile.TemporaryDirectory() as work:
        work = pathlib.Path(work)
        run = lambda name, *args: subprocess.run([PROGRAMS / name, *args, "--quiet"], cwd=work, check=True, stdout=subprocess.DEVNULL)
        run("gen-synthetic", "--n", "60", "--test-size", "0.2", "--name", "tiny")
        data = work / "data/tiny"
        random = np.random.default_rng(0)
        for part in ("train", "test"):
            ids = pq.read_table(data / f"{part}.parquet", columns=["id"])["id"]
            rows = random.normal(size=(len(ids), DIM)).astype(np.float32)
            (data / "embeddings/given").mkdir(parents=True, exist_ok=True)
            table = pa.table(
                [ids.cast(pa.string()), pa.array(list(rows), pa.list_(pa.float32(), DIM))],
                pa.schema([pa.field("id", pa.string(), False), pa.field("embedding", pa.list_(pa.float32(), DIM), False)]),
            )
            pq.write_table(table, data / f"embeddings/given/{part}.parquet")
        # Fewer and smaller than the built-in ones, so that the files are small.
        settings = (HERE / "../../../../../configs/routers.toml").read_text()
        for old, new in (("dim = 128", "dim = 8"), ("n-trees = 100", "n-trees = 5"), ("n-epochs = 100", "n-epochs = 3")):
            assert old in settings
            settings = settings.replace(old, new)
        (work / "routers.toml").write_text(settings)
        run("train-and-infer", "--dataset", "tiny", "--embedding", "given", "--config", "routers.toml", "--routers", "carrot-knn", "mf", "rorf")
        for source, target in (
            (work / "models/tiny", HERE / "models"),
            (data / "preds", HERE / "preds"),
        ):
            shutil.rmtree(target, ignore_errors=True)
            shutil.copytree(source, target)
        shutil.copy(data / "embeddings/given/test.parquet", HERE / "embeddings.parquet")


main()
