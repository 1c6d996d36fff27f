#!/usr/bin/env python3
"""Runs pairs of programs that write the same at the same time, and readers meanwhile.

usage: scripts/long/pairs.py [--pairs N] [generators | fits | routes | embeddings]...

  generators   two of one data set: the second is refused and told who holds the lock, or comes after the first; never a mixture
  fits         two of one router: the same
  routes       a route during a refit with other settings: the answer of the old router or of the new one
  embeddings   fits of two routers on a data set without embeddings: both succeed, and each part is embedded once

Exits 1 if anything else happens.

  --pairs N    of each kind [default: 200]
"""

import re
import sys

from bench import Bench, ROOT, build

REFUSED = re.compile(r"`(data|models)/\S+` is being written by \S+ \(process \d+, since \w+, [\w :]+ GMT\)")
FIT = "train-and-infer --dataset synthetic --force -q --routers".split()


def both(bench, one, other):
    """The exit codes and errors of two programs that start together."""
    processes = [bench.start(*command) for command in (one, other)]
    results = [process.communicate() for process in processes]
    return [(process.returncode, errors) for process, (_, errors) in zip(processes, results)]


def writers(bench, one, other, is_whole):
    """One of the two succeeds, and the other too or it is told who holds the lock. Returns how many were refused, and the faults."""
    outcomes = both(bench, one, other)
    faults = [f"exit code {code}: {errors}" for code, errors in outcomes if code and not REFUSED.search(errors)]
    n_refused = sum(code == 1 for code, _ in outcomes)
    if n_refused == 2:
        faults.append("both were refused")
    if not is_whole():
        faults.append("the files are a mixture")
    if bench.hidden():
        faults.append(f"left: {bench.hidden()}")
    return n_refused, faults


def references(bench, *commands):
    """What the folder holds after each of some commands."""
    found = []
    for command in commands:
        bench.succeed(*command)
        found.append(bench.hashes())
    return found


def generators(n_pairs):
    bench = Bench()
    commands = [f"gen-synthetic --n 400 --force -q --seed {seed}".split() for seed in (1, 2)]
    whole = references(bench, *commands)
    return repeat("generators", n_pairs, lambda: writers(bench, *commands, lambda: bench.hashes() in whole))


def fitted():
    """A data set with embeddings, and the commands of two different fits of one router."""
    bench = Bench()
    bench.succeed("gen-synthetic", "--n", "60", "-q")
    settings = (ROOT / "configs" / "routers.toml").read_text()
    changed = re.sub(r"n-neighbors = \[.*\]", "n-neighbors = [3]", settings)
    if changed == settings:
        sys.exit("pairs: configs/routers.toml has no `n-neighbors` to change")
    (bench.folder / "other.toml").write_text(changed)
    commands = [[*FIT, "carrot-knn"], [*FIT, "carrot-knn", "--config", "other.toml"]]
    return bench, commands


def fits(n_pairs):
    bench, commands = fitted()
    whole = references(bench, *commands)
    return repeat("fits", n_pairs, lambda: writers(bench, *commands, lambda: bench.hashes() in whole))


def routes(n_pairs):
    bench, commands = fitted()
    route = "carrot-router route --model models/synthetic/carrot-knn --mu 0.3 --json -q".split() + ["How long is the night train?"]
    answers = []
    for command in commands:
        bench.succeed(*command)
        answers.append(bench.succeed(*route))

    def one(turn=iter(range(n_pairs))):
        refit = bench.start(*commands[next(turn) % 2])
        n_answers, faults = 0, []
        while not n_answers or refit.poll() is None:
            code, answer, errors = bench.run(*route)
            n_answers += 1
            if code or answer not in answers:
                faults.append(f"exit code {code}: {answer}{errors}")
        _, errors = refit.communicate()
        return n_answers, faults + ([errors] if refit.returncode else [])

    return repeat("routes", n_pairs, one)


def embeddings(n_pairs):
    ready = Bench()
    ready.succeed("gen-synthetic", "--n", "20", "-q")

    def one():
        bench = Bench(ready)
        commands = ["train-and-infer --dataset synthetic --routers".split() + [router] for router in ("carrot-knn", "mf")]
        outcomes = both(bench, *commands)
        faults = [f"exit code {code}: {errors}" for code, errors in outcomes if code]
        log = "".join(errors for _, errors in outcomes)
        n_embedded = len(re.findall(r"embedding \d+ prompts", log))
        if n_embedded != 2 or bench.hidden():
            faults.append(f"{n_embedded} parts were embedded; left: {bench.hidden()}\n{log}")
        waited = len(re.findall("waiting for the embeddings", log))
        bench.remove()
        return waited, faults

    return repeat("embeddings", n_pairs, one)


def repeat(name, n_pairs, one):
    n_bad = n_counted = 0
    for _ in range(n_pairs):
        n, faults = one()
        n_counted += n
        n_bad += bool(faults)
        for fault in faults:
            print(f"{name}: {fault}", flush=True)
    counted = {"generators": "refused", "fits": "refused", "routes": "answers", "embeddings": "waited"}[name]
    print(f"{name}: {n_pairs} pairs, {n_counted} {counted}, {n_bad} bad", flush=True)
    return n_bad


KINDS = {"generators": generators, "fits": fits, "routes": routes, "embeddings": embeddings}


def main():
    words = sys.argv[1:]
    if {"-h", "--help"} & set(words):
        print(__doc__)
        return 0
    n_pairs = 200
    if "--pairs" in words:
        i = words.index("--pairs")
        n_pairs = int(words[i + 1])
        del words[i : i + 2]
    if unknown := set(words) - set(KINDS):
        sys.exit(f"pairs: unknown: {', '.join(unknown)}")
    #build("gen-synthetic", "train-and-infer", "carrot-router")
    return 1 if sum(KINDS[name](n_pairs) for name in words or KINDS) else 0


if __name__ == "__main__":
    sys.exit(main())
