#!/usr/bin/env python3
"""Kills programs with SIGKILL at each system call that creates, writes, syncs, renames, links or removes something below data/, models/ or
plots/, and looks at what is there afterwards. Needs strace (apt-get install strace), which counts the calls and sends the signal.

usage: scripts/long/kills.py [--at-most N] [gen-synthetic | new-data-set | train-and-infer | plots | pool]...

After each kill every file has the bytes that it has before or after a whole run; the files of a data set or of a router are all old or
all new; nothing stale is drawn. The next run succeeds, gives the files of a whole run, and leaves nothing hidden. Exits 1 otherwise.

  --at-most N   only N kills per program, evenly chosen
"""

import json
import re
import subprocess
import sys

from bench import Bench, build

CALLS = "openat creat mkdir mkdirat write pwrite64 writev ftruncate fsync fdatasync rename renameat renameat2 link linkat unlink unlinkat rmdir"
CALLS = CALLS.split()
MADE = r"(?:data|models|plots)/"


def calls_of(bench, command):
    """[(system call, which of its thread's calls it is)] of a whole run"""
    log = bench.folder / "calls.log"
    trace = ["strace", "-f", "-y", "-s", "200", "-e", "trace=" + ",".join(CALLS), "-o", str(log)]
    code, _, errors = bench.run(*command, before=trace)
    if code != 0:
        sys.exit(f"{command}: {errors}")
    count, found = {}, []
    is_below = re.compile(rf'"(?:{re.escape(str(bench.folder))}/)?{MADE}|<{re.escape(str(bench.folder))}/{MADE}')
    for line in log.read_text().splitlines():
        match = re.match(r"(\d+)\s+(\w+)\(", line)
        if not match:
            continue
        thread, call = match.groups()
        count[thread, call] = n = count.get((thread, call), 0) + 1
        if is_below.search(line) and (call != "openat" or "O_CREAT" in line):
            found.append((call, n))
    log.unlink()
    return list(dict.fromkeys(found))


class Scenario:
    def __init__(self, name, prepare, command, groups, check=None):
        self.name, self.command, self.groups, self.check = name, command, groups, check
        self.before = Bench()
        prepare(self.before)
        self.after = Bench(self.before)
        self.after.succeed(*command)
        self.old, self.new = self.before.hashes(), self.after.hashes()

    def faults(self, bench):
        """What a kill left that must not be."""
        found = bench.hashes()
        for name, value in found.items():
            # The record of what figures were made from grows with each; that it can be read is all that is asked of it.
            if name.endswith("made-from.json"):
                json.loads((bench.folder / name).read_text())
            elif value not in (self.old.get(name), self.new.get(name)):
                yield f"`{name}` is neither old nor new"
        for group in self.groups:
            part = [{k: v for k, v in files.items() if re.match(group, k)} for files in (found, self.old, self.new)]
            if part[0] not in part[1:]:
                yield f"the files of `{group}` are a mixture: {sorted(part[0])}"
        if self.check:
            yield from self.check(bench, found, self.new)
        code, _, errors = bench.run(*self.command)
        if code != 0:
            yield f"the next run fails: {errors}"
        elif bench.hidden():
            yield f"left after the next run: {bench.hidden()}"
        elif (again := bench.hashes()) != self.new:
            differ = sorted(name for name in again.keys() | self.new.keys() if again.get(name) != self.new.get(name))
            yield f"the next run gives other files: {differ}"

    def run(self, at_most):
        calls = calls_of(bench := Bench(self.before), self.command)
        bench.remove()
        step = max(1, len(calls) // at_most) if at_most else 1
        n_killed = n_missed = n_bad = 0
        for call, n in calls[::step]:
            bench = Bench(self.before)
            inject = ["strace", "-f", "-o", "/dev/null", "-e", f"trace={call}", "-e", f"inject={call}:signal=KILL:when={n}"]
            code, _, errors = bench.run(*self.command, before=inject)
            n_killed, n_missed = n_killed + (code != 0), n_missed + (code == 0)
            for fault in self.faults(bench):
                n_bad += 1
                print(f"{self.name}: killed at {call} {n}: {fault}", flush=True)
            bench.remove()
        print(f"{self.name}: {len(calls)} calls, {n_killed} kills, {n_missed} missed, {n_bad} bad", flush=True)
        return n_bad


def generate(bench, seed):
    bench.succeed("gen-synthetic", "--n", "60", "--seed", seed, "--force", "-q")


def fit(bench, *routers):
    bench.succeed("train-and-infer", "--dataset", "synthetic", "--routers", *routers, "-q")


def two_versions(bench):
    """Predictions and routers of a data set that was replaced since, and another router's of the new one."""
    generate(bench, "1")
    fit(bench, "carrot-knn")
    generate(bench, "2")
    fit(bench, "mf")


def nothing_stale(bench, found, new):
    """Draws what there is: the killed router's predictions only if they are of this data set."""
    name = "data/synthetic/preds/carrot-knn.parquet"
    code, _, errors = bench.run("plots", "--format", "svg", "-q")
    if code != 0:
        yield f"plots fails: {errors}"
    drawn = any("KNN" in path.read_text() for path in bench.folder.glob("plots/**/*.csv"))
    if drawn != (found.get(name) == new[name]):
        yield f"drawn: {drawn}, though the predictions are {'new' if not drawn else 'old'}"
    for path in sorted(bench.folder.glob("plots/*")):
        subprocess.run(["rm", "-rf", path], check=True)


def router(bench):
    generate(bench, "1")
    fit(bench, "carrot-knn")


def with_output(bench):
    router(bench)
    bench.succeed(*POOL[:-1], "atlas-large")


DATA = r"data/synthetic/(dataset.json|train.parquet|test.parquet|truth/)"
POOL = "carrot-router pool --model models/synthetic/carrot-knn --output models/synthetic/other --force --remove atlas-mini".split()
SCENARIOS = {
    "gen-synthetic": (two_versions, "gen-synthetic --n 60 --seed 3 --force -q".split(), [DATA]),
    "new-data-set": (lambda bench: None, "gen-synthetic --n 60 -q".split(), [DATA]),
    "train-and-infer": (
        two_versions,
        "train-and-infer --dataset synthetic --routers carrot-knn -q".split(),
        [DATA, "models/synthetic/carrot-knn/"],
        nothing_stale,
    ),
    "plots": (two_versions, "plots --format svg png -q".split(), [DATA]),
    "pool": (with_output, POOL, ["models/synthetic/other/", "models/synthetic/carrot-knn/"]),
}


def main():
    words = sys.argv[1:]
    if {"-h", "--help"} & set(words):
        print(__doc__)
        return 0
    at_most = None
    if "--at-most" in words:
        i = words.index("--at-most")
        at_most = int(words[i + 1])
        del words[i : i + 2]
    if unknown := set(words) - set(SCENARIOS):
        sys.exit(f"kills: unknown: {', '.join(unknown)}")
    #build("gen-synthetic", "train-and-infer", "carrot-router", "plots")
    n_bad = sum(Scenario(name, *SCENARIOS[name]).run(at_most) for name in words or SCENARIOS)
    return 1 if n_bad else 0


if __name__ == "__main__":
    sys.exit(main())
