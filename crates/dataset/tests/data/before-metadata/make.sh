#!/usr/bin/env bash
# Makes tests/data/before-metadata/data: a tiny data set with predictions as they were written at 5833ceb, before a Parquet file recorded what
# it was made from. Only that version can make it again.
#
#   make.sh FOLDER_WITH_THE_PROGRAMS_OF_5833ceb PYTHON_WITH_PYARROW
set -euo pipefail
bin=$1 python=$2
here=$(realpath "$(dirname "$0")")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
"$python" - <<'PYTHON'
import csv

with open("table.csv", "w", newline="") as file:
    rows = csv.writer(file)
    rows.writerow(["id", "task", "prompt", "cheap/score", "cheap/cost_usd", "dear/score", "dear/cost_usd"])
    for i in range(20):
        rows.writerow([f"p{i}", "sums", f"What is {i} + {i}?", int(i % 2 == 0), 0.001 + i * 1e-5, int(i % 5 > 0), 0.01 + i * 1e-4])
PYTHON
"$bin/gen-custom" --quiet --input table.csv --name tiny --small cheap --large dear --data-dir data >/dev/null
# Embeddings are a stand-in: no model is needed to make the fixture.
"$python" - <<'PYTHON'
import os
import pyarrow as pa, pyarrow.parquet as pq

for part in ["train", "test"]:
    ids = pq.read_table(f"data/tiny/{part}.parquet", columns=["id"])["id"]
    values = [float(x) for id in ids.to_pylist() for x in (1, int(id[1:]), int(id[1:]) % 5)]
    vectors = pa.FixedSizeListArray.from_arrays(pa.array(values, pa.float32()), 3)
    fields = [pa.field("id", pa.string(), False), pa.field("embedding", pa.list_(pa.field("item", pa.float32(), False), 3), False)]
    table = pa.Table.from_arrays([pa.array(ids.to_pylist()), vectors.cast(fields[1].type)], schema=pa.schema(fields))
    os.makedirs("data/tiny/embeddings/stand-in", exist_ok=True)
    pq.write_table(table, f"data/tiny/embeddings/stand-in/{part}.parquet")
PYTHON
"$bin/train-and-infer" --quiet --dataset tiny --routers carrot-knn rorf --embedding stand-in --data-dir data --models-dir models >/dev/null
rm -r data/tiny/embeddings
rm -rf "$here/data"
cp -r data "$here"
