#!/usr/bin/env python3
"""An index in Postgres beside an exact search in memory and beside usearch, on the same rows.

    scripts/postgres.sh
    pip install numpy pyarrow usearch==2.26.6
    scripts/bench_index.py --from data/open-llm/embeddings/minilm          10^6 rows in two shards: half an hour to hours
    scripts/bench_index.py --from data/open-llm/embeddings/minilm --n 50000

Rows lie between two train prompts that are near to each other, rounded to float16; queries are test prompts. Starts the shards on this machine, and runs the
example `index_bench` of the crate `pg-neighbors`, which loads, builds and searches through what `carrot-router` uses; then usearch in this process. Prints
one JSON object: seconds, recall of the k nearest, milliseconds of a query by itself at the median and at the 99th percentile, queries a second of eight
clients, and bytes.
"""

import argparse
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

ROOT = Path(__file__).resolve().parent.parent
NOBODY = 65534
N_CLIENTS = 8


def read_embeddings(path):
    column = pq.read_table(path, columns=["embedding"])["embedding"].combine_chunks()
    values = column.flatten().to_numpy(zero_copy_only=False).astype(np.float32)
    rows = values.reshape(len(column), -1)
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return rows[lengths[:, 0] > 0] / lengths[lengths[:, 0] > 0]


def write_rows(path, real, n_rows, seed=0):
    """Points between a prompt and one of its ten nearest, some at a time."""
    rng = np.random.default_rng(seed)
    nearest = np.empty((len(real), 10), np.int64)
    for start in range(0, len(real), 1024):
        similar = real[start : start + 1024] @ real.T
        nearest[start : start + 1024] = np.argpartition(-similar, 11, axis=1)[:, 1:11]
    with open(path, "wb") as file:
        for start in range(0, n_rows, 65536):
            n = min(65536, n_rows - start)
            first = rng.integers(len(real), size=n)
            second = nearest[first, rng.integers(10, size=n)]
            share = rng.uniform(size=(n, 1)).astype(np.float32)
            rows = real[first] * (1 - share) + real[second] * share
            rows /= np.linalg.norm(rows, axis=1, keepdims=True)
            file.write(rows.astype("<f2").tobytes())


class Postgres:
    """A cluster on this machine, which no other reaches."""

    def __init__(self, folder, programs, shared_buffers):
        self.folder, self.programs = folder, programs
        folder.mkdir()
        self.user = {}
        if os.geteuid() == 0:
            # Postgres does not run as root.
            os.chown(folder, NOBODY, NOBODY)
            self.user = {"user": NOBODY, "group": NOBODY, "extra_groups": []}
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.run("initdb", "--username", "carrot", "--auth", "trust", "--encoding", "UTF8", "--locale", "C", "--pgdata", str(folder / "data"))
        options = f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c shared_buffers={shared_buffers} -c max_wal_size=4GB"
        self.run("pg_ctl", "-D", str(folder / "data"), "-l", str(folder / "log"), "-o", options, "-w", "-t", "120", "start")
        self.url = f"postgres://carrot@127.0.0.1:{self.port}/postgres"

    def run(self, program, *args):
        command = [self.programs / program, *args]
        done = subprocess.run(command, cwd="/", stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE if program != "pg_ctl" else None,
                              text=True, **self.user)
        if done.returncode != 0:
            sys.exit(f"bench_index: {program} ended with {done.returncode}: {done.stderr}")
        return done.stdout

    def ask(self, sql):
        return self.run("psql", "-X", "-A", "-t", "-d", self.url, "-c", sql).strip()

    def stop(self):
        self.run("pg_ctl", "-D", str(self.folder / "data"), "-m", "immediate", "-w", "stop")


def example():
    command = ["cargo", "build", "-p", "pg-neighbors", "--example", "index_bench", "--message-format", "json"]
    lines = subprocess.run(command, check=True, cwd=ROOT, stdout=subprocess.PIPE, text=True).stdout.splitlines()
    artifacts = [message for message in map(json.loads, lines) if message["reason"] == "compiler-artifact"]
    return next(artifact["executable"] for artifact in artifacts if artifact["target"]["name"] == "index_bench")


def run_usearch(folder, dim, k, recall):
    from concurrent.futures import ThreadPoolExecutor

    from usearch.index import Index

    rows = np.memmap(folder / "rows.f16", np.float16, "r").reshape(-1, dim)
    queries = np.fromfile(folder / "queries.f32", np.float32).reshape(-1, dim)
    exact = np.fromfile(folder / "exact.u32", np.uint32).reshape(-1, k)
    index = Index(ndim=dim, metric="cos", dtype="f16", connectivity=16, expansion_add=64)
    start = time.perf_counter()
    for first in range(0, len(rows), 65536):
        part = np.asarray(rows[first : first + 65536])
        index.add(np.arange(first, first + len(part), dtype=np.uint64), part)
    report = {"build-seconds": time.perf_counter() - start, "bytes": index.memory_usage}
    ef = k + 32
    while True:
        index.expansion_search = ef
        found = index.search(queries, k).keys
        share = float(np.mean([len(np.intersect1d(a, b)) / k for a, b in zip(found, exact)]))
        if share >= recall or ef > 10_000:
            break
        ef = ef * 3 // 2

    def ask(query):
        start = time.perf_counter()
        index.search(query, k, threads=1)
        return 1e3 * (time.perf_counter() - start)

    alone = [ask(query) for query in queries]
    start = time.perf_counter()
    with ThreadPoolExecutor(N_CLIENTS) as pool:
        list(pool.map(ask, queries))
    seconds = time.perf_counter() - start
    return report | {
        "expansion": ef, "recall-of-queries": share, "queries-a-second": len(queries) / seconds,
        "p50-ms": float(np.percentile(alone, 50)), "p99-ms": float(np.percentile(alone, 99)),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--from", dest="real", type=Path, required=True, metavar="DIR", help="a data set's embeddings, train.parquet and test.parquet")
    parser.add_argument("--n", type=int, default=1_000_000, help="rows")
    parser.add_argument("--queries", type=int, default=1_000)
    parser.add_argument("--k", type=int, default=64)
    parser.add_argument("--shards", type=int, default=2)
    parser.add_argument("--shared-buffers", default="2GB", help="of each shard")
    parser.add_argument("--work", type=Path, help="a folder for rows and shards, 6 kB a row; default: a temporary one")
    parser.add_argument("--example", help="the example as it was built; default: it is built now")
    args = parser.parse_args()

    programs = Path(os.environ.get("CARROT_POSTGRES_DIR", ROOT / ".postgres")) / "bin"
    if not (programs / "postgres").exists():
        sys.exit("bench_index: run scripts/postgres.sh first")
    program = args.example or example()
    folder = Path(tempfile.mkdtemp(prefix="bench-index-", dir=args.work))
    # Whoever runs Postgres has to get through.
    folder.chmod(0o755)
    shards = []
    try:
        queries = read_embeddings(args.real / "test.parquet")[: args.queries]
        dim = queries.shape[1]
        queries.astype("<f4").tofile(folder / "queries.f32")
        write_rows(folder / "rows.f16", read_embeddings(args.real / "train.parquet"), args.n)
        for i in range(args.shards):
            shards.append(Postgres(folder / f"shard-{i}", programs, args.shared_buffers))
        command = [program, str(folder), str(dim), str(args.k), *(shard.url for shard in shards)]
        report = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)
        table = "carrot_be0cbe0cbe0cbe0c"
        sizes = [[int(shard.ask(f"SELECT pg_relation_size('{name}')")) for name in (table, f"{table}_hnsw")] for shard in shards]
        report["bytes"] = {"table": sum(it[0] for it in sizes), "graph": sum(it[1] for it in sizes), "in-memory": args.n * (2 * dim + 8)}
        report["usearch"] = run_usearch(folder, dim, args.k, report["recall-of-queries"])
        print(json.dumps(report, indent=2))
    finally:
        for shard in shards:
            shard.stop()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
