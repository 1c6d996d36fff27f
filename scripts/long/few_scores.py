#!/usr/bin/env python3
"""Routing with an LLM that has few scores, and by logs of one answer per prompt.

usage: scripts/long/few_scores.py --data-dir DIR [--embedder NAME] [--share S] [--llms N] [--draws N] [--routers R ...] DATASET...

  few   LLMs of a data set in turn keep a share of their train scores, at random. Mean utility on the test part, over the grid of worths
        (dataset::worth), less that of the same router without the LLM, with its standard error over prompts, averaged over LLMs and draws; and
        the share of choices that the LLM gets, beside its share with all scores. Fails where the mean gain is below 0 by more than the standard
        error.
  log   each train prompt keeps the score of one LLM, drawn at random: the gain over the best single LLM by the log's means, for nearest neighbors also
        in the paper's way, which counts all neighbors. Fails where the mean gain is below 0 by more than the standard error (the paper's way
        is only shown).

The data sets are those of gen-* programs with embeddings, as train-and-infer leaves them under DIR. Standard errors hold the draws fixed: they are of
the test prompts, and the mean of those of the draws, which share the prompts.

  --embedder NAME   [default: minilm]
  --share S         of scores kept [default: 0.05]
  --llms N          LLMs in turn: those with the most choices when all scores are known [default: 6]
  --draws N         draws for each LLM, and of logs [default: 2]
  --routers R ...   [default: carrot-knn carrot-blend]
"""

import argparse
import json
import subprocess
import sys

from bench import ROOT


def measure(options, dataset, router, *task):
    """What the example prints."""
    command = "cargo run --locked -q -p fitting --example few_scores --".split()
    command += [options.data_dir, dataset, options.embedder, router, *map(str, task)]
    return json.loads(subprocess.run(command, check=True, cwd=ROOT, stdout=subprocess.PIPE).stdout)


def mean(found, key):
    return sum(it[key] for it in found) / len(found)


def few(options, dataset, router):
    """Whether it is not worse by more than a standard error."""
    found = measure(options, dataset, router, "few", options.share, options.llms, options.draws)
    gain, error = mean(found, "gain"), mean(found, "standard-error")
    print(
        f"{dataset:<14} {router:<13} few  gain over without it {gain:+.4f} (se {error:.4f}), with all scores {mean(found, 'gain-with-all'):+.4f}; "
        f"share {mean(found, 'share'):.3f}, with all scores {mean(found, 'share-with-all'):.3f}",
        flush=True,
    )
    return gain >= -error


def log(options, dataset, router):
    """Whether it is not below the best single LLM by more than a standard error."""
    found = measure(options, dataset, router, "log", options.draws)
    good = True
    for selection in sorted({it["selection"] for it in found}):
        some = [it for it in found if it["selection"] == selection]
        gain, error = mean(some, "gain"), mean(some, "standard-error")
        way = " (the paper's way)" if selection == "paper" else ""
        print(f"{dataset:<14} {router:<13} log  gain over the best single LLM {gain:+.4f} (se {error:.4f}){way}", flush=True)
        good &= selection == "paper" or gain >= -error
    return good


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("datasets", nargs="+", metavar="DATASET")
    parser.add_argument("--data-dir", required=True)
    parser.add_argument("--embedder", default="minilm")
    parser.add_argument("--share", type=float, default=0.05)
    parser.add_argument("--llms", type=int, default=6)
    parser.add_argument("--draws", type=int, default=2)
    parser.add_argument("--routers", nargs="+", default=["carrot-knn", "carrot-blend"])
    options = parser.parse_args()
    good = [task(options, dataset, router) for dataset in options.datasets for router in options.routers for task in (few, log)]
    print(f"{sum(good)} of {len(good)} within one standard error")
    sys.exit(not all(good))


if __name__ == "__main__":
    main()
