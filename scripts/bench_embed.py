#!/usr/bin/env python3
"""Embedders side by side: ours and those of Python's libraries, on the same prompts in the same run.

    pip install -r scripts/requirements-bench.txt
    scripts/bench_embed.py                              made-up prompts
    scripts/bench_embed.py --dataset open-llm           all prompts of a data set
    scripts/bench_embed.py --only static                leaves out the Transformers, which take minutes

static: our static embedder against `StaticModel.encode(prompts, max_length=None)` of model2vec, on one folder, which
`cargo run -p train-and-infer -- distill` makes. minilm: our all-MiniLM-L6-v2 in float32 against sentence-transformers, on as many prompts as
`--n-minilm` says. Each program has the same number of threads, loads its model once, and takes its turns with the others; medians count.

Bars: static embeds at least 80 times as many prompts per second as our MiniLM, is no slower than model2vec, and its vectors differ by at most 1e-6;
those of MiniLM differ by at most 1e-5. Ends with 1 if one is missed.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

ROOT = Path(__file__).resolve().parent.parent
WORDS = "the of a router picks prompts by price and answers What is integral over all real numbers quickly unforgettable Zwölf naïve 日本 x^2 = 4.".split()


def made_up(n_prompts):
    """Prompts of lengths by a log-normal law with its median at 64 words."""
    rng = np.random.default_rng(0)
    lengths = np.clip(np.exp(rng.normal(np.log(64), 0.8, n_prompts)), 1, 2000).astype(int)
    return [" ".join(rng.choice(WORDS, length)) for length in lengths]


def prompts_of(args):
    if not args.dataset:
        return made_up(args.n)
    parts = [pq.read_table(args.data_dir / args.dataset / f"{part}.parquet", columns=["prompt"])["prompt"].to_pylist() for part in ("train", "test")]
    return sum(parts, [])


def build_bench():
    """The bench's program, built with the profile that `cargo run` uses."""
    command = ["cargo", "bench", "-p", "carrot-router", "--profile", "dev", "--bench", "embed", "--no-run", "--message-format", "json"]
    lines = subprocess.run(command, check=True, cwd=ROOT, stdout=subprocess.PIPE, text=True).stdout.splitlines()
    artifacts = [message for message in map(json.loads, lines) if message["reason"] == "compiler-artifact"]
    return next(it["executable"] for it in artifacts if it["target"]["name"] == "embed" and it["executable"])


class Ours:
    """Our program, which embeds once for each line that it is sent."""

    def __init__(self, bench, model, prompts):
        self.folder = tempfile.TemporaryDirectory()
        (Path(self.folder.name) / "prompts.json").write_text(json.dumps(prompts))
        command = [bench, str(model), self.folder.name]
        self.program = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.load = json.loads(self.program.stdout.readline())["load"]

    def run(self):
        self.program.stdin.write("\n")
        self.program.stdin.flush()
        return json.loads(self.program.stdout.readline())["seconds"]

    def vectors(self, n_prompts):
        self.program.stdin.close()
        if self.program.wait() != 0:
            sys.exit("our program failed")
        return np.fromfile(Path(self.folder.name) / "ours.f32", "<f4").reshape(n_prompts, -1)


class Theirs:
    """A function of a library, timed in this process."""

    def __init__(self, encode, prompts, load):
        self.encode, self.prompts, self.load = encode, prompts, load
        encode(prompts[:8])

    def run(self):
        start = time.perf_counter()
        self.last = self.encode(self.prompts)
        return time.perf_counter() - start

    def vectors(self, _):
        return np.asarray(self.last)


def model2vec(folder):
    from model2vec import StaticModel

    model = StaticModel.from_pretrained(folder)
    return lambda prompts: model.encode(prompts, max_length=None)


def sentence_transformers(folder, threads):
    import torch
    from sentence_transformers import SentenceTransformer

    torch.set_num_threads(threads)
    model = SentenceTransformer(str(folder), device="cpu")
    return lambda prompts: model.encode(prompts, normalize_embeddings=True)


def timed(make, prompts):
    start = time.perf_counter()
    encode = make()
    return Theirs(encode, prompts, time.perf_counter() - start)


def compare(name, ours, theirs, prompts, n_tokens, rounds):
    """Medians of both by turns, and the largest difference between their vectors."""
    runs = {"ours": [], theirs[0]: []}
    for _ in range(rounds):
        runs["ours"].append(ours.run())
        runs[theirs[0]].append(theirs[1].run())
    difference = np.abs(ours.vectors(len(prompts)) - theirs[1].vectors(len(prompts))).max()
    medians = {who: statistics.median(seconds) for who, seconds in runs.items()}
    print(f"{name}, {len(prompts):,} prompts, {n_tokens:,} tokens; medians of {rounds}; vectors differ by at most {difference:.1e}")
    for who, median in medians.items():
        load = ours.load if who == "ours" else theirs[1].load
        print(f"  {who:<22} {median:9.3f} s  {len(prompts) / median:11,.0f} prompts/s  {n_tokens / median:12,.0f} tokens/s   load {load:.2f} s")
    return medians, difference


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dataset")
    parser.add_argument("--data-dir", type=Path, default=ROOT / "data")
    parser.add_argument("--models-dir", type=Path, default=ROOT / "models")
    parser.add_argument("--static", default="static-all-MiniLM-L6-v2", help="folder of the static embedder under the models folder")
    parser.add_argument("--minilm", default="all-MiniLM-L6-v2", help="folder of MiniLM there")
    parser.add_argument("--n", type=int, default=20000, help="made-up prompts")
    parser.add_argument("--n-minilm", type=int, default=500, help="prompts for the Transformers, spread over all")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--only", choices=["static", "minilm"])
    args = parser.parse_args()
    # Before any of the libraries is imported.
    os.environ["RAYON_NUM_THREADS"] = os.environ["OMP_NUM_THREADS"] = str(args.threads)
    bench = build_bench()
    prompts = prompts_of(args)
    few = prompts[:: max(1, len(prompts) // args.n_minilm)]

    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(args.models_dir / args.minilm / "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    count = lambda texts: sum(len(it.ids) for it in tokenizer.encode_batch_fast(texts, add_special_tokens=False))
    print(f"{platform.processor() or platform.machine()}, {args.threads} threads")
    rates, missed = {}, []
    if args.only != "minilm":
        folder = args.models_dir / args.static
        ours = Ours(bench, folder, prompts)
        theirs = ("model2vec", timed(lambda: model2vec(folder), prompts))
        medians, difference = compare("static", ours, theirs, prompts, count(prompts), args.rounds)
        rates["static"] = len(prompts) / medians["ours"]
        if difference > 1e-6:
            missed.append(f"static vectors differ by {difference:.1e}, more than 1e-6")
        if medians["ours"] > medians["model2vec"]:
            missed.append("static is slower than model2vec")
    if args.only != "static":
        folder = args.models_dir / args.minilm
        ours = Ours(bench, folder, few)
        theirs = ("sentence-transformers", timed(lambda: sentence_transformers(folder, args.threads), few))
        medians, difference = compare("minilm f32", ours, theirs, few, count(few), min(args.rounds, 3))
        rates["minilm"] = len(few) / medians["ours"]
        if difference > 1e-5:
            missed.append(f"MiniLM's vectors differ by {difference:.1e}, more than 1e-5")
    if len(rates) == 2:
        ratio = rates["static"] / rates["minilm"]
        print(f"static embeds {ratio:.0f} times as many prompts per second as MiniLM")
        if ratio < 80:
            missed.append(f"static is {ratio:.0f} times as fast as MiniLM, less than 80")
    for what in missed:
        print(f"missed: {what}", file=sys.stderr)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
