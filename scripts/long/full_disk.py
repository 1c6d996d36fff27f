#!/usr/bin/env python3
"""Runs programs on a disk that fills up: a tmpfs with a little more room each time, until there is enough. Needs root, to mount it.

usage: scripts/long/full_disk.py

Each run that fails has to end with exit code 1 and an error that names a file and says that no space is left, with every file of the old state
unchanged, but for a manifest that a refit removes first, and nothing hidden left. Exits 1 otherwise.
"""

import os
import subprocess
import sys

from bench import Bench, build
from kills import POOL, two_versions, with_output

STEP_KB = 16
RUNS = {
    "gen-synthetic": (two_versions, "gen-synthetic --n 400 --seed 3 --force -q".split()),
    "train-and-infer": (two_versions, "train-and-infer --dataset synthetic --routers carrot-knn --force -q".split()),
    "plots": (two_versions, "plots --format svg -q".split()),
    "pool": (with_output, POOL),
}


def used_kb(folder):
    return int(subprocess.run(["du", "-skL", folder], check=True, capture_output=True, text=True).stdout.split()[0])


def mounted(ready, room_kb):
    """A copy of a folder on a disk with so much room left, the embedding model left out."""
    bench = Bench()
    for name in ("data", "models", "plots"):
        (bench.folder / name).mkdir(exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1g", "tmpfs", bench.folder], check=True)
    subprocess.run(["cp", "-a", f"{ready.folder}/.", bench.folder], check=True)
    stat = os.statvfs(bench.folder)
    used = (stat.f_blocks - stat.f_bfree) * stat.f_frsize // 1024
    subprocess.run(["mount", "-o", f"remount,size={used + room_kb}k", bench.folder], check=True)
    return bench


def run(name, prepare, command):
    ready = Bench()
    prepare(ready)
    before = ready.hashes()
    room_kb = n_full = n_bad = 0
    while True:
        bench = mounted(ready, room_kb)
        code, _, errors = bench.run(*command)
        after, hidden = bench.hashes(), bench.hidden()
        subprocess.run(["umount", bench.folder], check=True)
        bench.remove()
        if code == 0:
            break
        n_full += 1
        # Each file of plots is a state of its own, and a router's folder, its predictions and its manifest are three.
        changed = {path for path, value in before.items() if after.get(path) != value}
        changed -= {"data/synthetic/preds/carrot-knn.json"}
        if name == "train-and-infer" and (any(path.startswith("models/") for path in changed)):
            changed = {path for path in changed if not path.startswith("models/synthetic/carrot-knn/")}
        faults = [f"changed: {sorted(changed)}"] * bool(changed) + [f"left: {hidden}"] * bool(hidden)
        if code != 1 or "No space left" not in errors or "`" not in errors:
            faults.append(f"exit code {code}: {errors}")
        for fault in faults:
            n_bad += 1
            print(f"{name}: with {room_kb} kB left: {fault}", flush=True)
        room_kb += STEP_KB if room_kb < 40 * STEP_KB else 40 * STEP_KB
    print(f"{name}: full {n_full} times, {n_bad} bad", flush=True)
    return n_bad


def main():
    if {"-h", "--help"} & set(sys.argv):
        print(__doc__)
        return 0
    build("gen-synthetic", "train-and-infer", "carrot-router", "plots")
    return 1 if sum(run(name, *what) for name, what in RUNS.items()) else 0


if __name__ == "__main__":
    sys.exit(main())
