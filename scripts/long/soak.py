#!/usr/bin/env python3
"""Whether `carrot-router serve` keeps its memory over ten minutes of mixed load.

usage: scripts/long/soak.py [--minutes N]

By turns of two seconds: a pool name, `carrot`, and decisions alone, each on 8 connections, with a decision log (some gigabytes in a temporary
folder). The server's resident memory is read after each round. Exits 1 if its median over the last third of the rounds is more than a tenth, and
8 MiB, above that of the second.

  --minutes N   [default: 10]
"""

import argparse
import statistics
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from bench import Bench
from bench_serve import Load, body, build_load
from serving import Serve, build_serve, router

SECONDS = 2
ALLOWED_SHARE, ALLOWED_MIB = 0.1, 8


def resident_mib(process):
    lines = Path(f"/proc/{process.pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS"))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10)
    args = parser.parse_args()
    build_serve()
    bench = Bench()
    load = Load(build_load(), bench, SECONDS)
    llms = router(bench)
    serve = Serve(bench, llms, f"http://{load.address}", more='[log]\npath = "decisions.jsonl"\n')
    rounds, start = [], time.monotonic()
    while time.monotonic() < start + 60 * args.minutes:
        load.run(serve.address, body(llms[0]), 8)
        load.run(serve.address, body("carrot"), 8)
        load.run(serve.address, body("carrot"), 8, "/v1/decision")
        rounds.append(resident_mib(serve.process))
        print(f"{time.monotonic() - start:5.0f} s: {rounds[-1]:.1f} MiB", flush=True)
    serve.stop()
    load.stop()
    bench.remove()
    third = len(rounds) // 3
    before, after = statistics.median(rounds[third : 2 * third]), statistics.median(rounds[2 * third :])
    print(f"resident memory, median: {before:.1f} MiB in the second third of the time, {after:.1f} MiB in the last")
    return after > before * (1 + ALLOWED_SHARE) and after > before + ALLOWED_MIB


if __name__ == "__main__":
    sys.exit(main())
