#!/usr/bin/env python3
"""Embedders side by side: ours and those of Python's libraries, on the same prompts in the same run.

    pip install -r scripts/requirements-bench.txt
    scripts/bench_embed.py                              made-up prompts
    scripts/bench_embed.py --dataset open-llm           all prompts of a data set
    scripts/bench_embed.py --only static                leaves out the Transformers, which take minutes
    scripts/bench_embed.py --bf16                       bfloat16 too, where the processor has no instructions for it

static: our static embedder against `StaticModel.encode(prompts, max_length=None)` of model2vec, on one folder, which
`cargo run -p train-and-infer -- distill` makes. minilm: our all-MiniLM-L6-v2 against sentence-transformers and ONNX Runtime (the same network, written
out by torch.onnx, batches of 32 by length), on as many prompts as `--n-minilm` says; in float32, and in bfloat16 where the processor has AVX-512-BF16
or AMX. Each program has the same number of threads, loads its model once, and takes its turns with the others; medians count. Shares are of the
float32 product of 256 x 384 by 384 x 1,536 that PyTorch takes on these threads.

Bars: static embeds at least 80 times as many prompts per second as our MiniLM, is no slower than model2vec, and its vectors differ by at most 1e-6;
those of MiniLM differ by at most 1e-5; in bfloat16 ours is at least 4 times as fast as ours in float32 with AMX and 2.2 times with AVX-512-BF16
alone, 1.2 times as fast as sentence-transformers in bfloat16, and each cosine to float32 is at least .9999. Ends with 1 if one is missed.
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


def has(*flags):
    """Whether the processor has one of these instruction sets."""
    info = Path("/proc/cpuinfo")
    return info.is_file() and any(flag in info.read_text() for flag in flags)


def has_bf16():
    """Whether the processor multiplies bfloat16 by instructions of its own."""
    return has("avx512_bf16", "amx_bf16")


def build_bench(features):
    """The bench's program, built with the profile that `cargo run` uses."""
    command = ["cargo", "bench", "-p", "carrot-router", "--profile", "dev", "--bench", "embed", "--no-run", "--message-format", "json"]
    lines = subprocess.run(command + features, check=True, cwd=ROOT, stdout=subprocess.PIPE, text=True).stdout.splitlines()
    artifacts = [message for message in map(json.loads, lines) if message["reason"] == "compiler-artifact"]
    return next(it["executable"] for it in artifacts if it["target"]["name"] == "embed" and it["executable"])


class Ours:
    """Our program, which embeds once for each line that it is sent."""

    def __init__(self, bench, model, prompts, precision="f32"):
        self.folder = tempfile.TemporaryDirectory()
        (Path(self.folder.name) / "prompts.json").write_text(json.dumps(prompts))
        command = [bench, str(model), self.folder.name, precision]
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


def sentence_transformers(folder, dtype):
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(folder), device="cpu", model_kwargs={"dtype": dtype})
    return lambda prompts: model.encode(prompts, normalize_embeddings=True, convert_to_tensor=True).float().numpy()


def onnx_runtime(folder, threads):
    """The network as ONNX Runtime runs it, with the mean and the normalization that sentence-transformers has after it."""
    import onnxruntime
    import torch
    from tokenizers import Tokenizer
    from transformers import AutoModel

    class Hidden(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.bert = AutoModel.from_pretrained(folder, attn_implementation="eager").eval()

        def forward(self, ids, mask):
            return self.bert(input_ids=ids, attention_mask=mask).last_hidden_state

    ids = torch.ones(2, 8, dtype=torch.int64)
    with tempfile.TemporaryDirectory() as place:
        path = str(Path(place) / "model.onnx")
        axes = {name: {0: "batch", 1: "tokens"} for name in ("ids", "mask", "hidden")}
        torch.onnx.export(Hidden(), (ids, ids), path, input_names=["ids", "mask"], output_names=["hidden"], dynamic_axes=axes, dynamo=False)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.enable_truncation(256)
    tokenizer.no_padding()

    def encode(prompts):
        texts = [text.ids for text in tokenizer.encode_batch_fast(prompts)]
        order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
        vectors = np.zeros((len(texts), 384), np.float32)
        for first in range(0, len(order), 32):
            rows = order[first : first + 32]
            ids = np.zeros((len(rows), max(len(texts[i]) for i in rows)), np.int64)
            mask = np.zeros_like(ids)
            for place, i in enumerate(rows):
                ids[place, : len(texts[i])], mask[place, : len(texts[i])] = texts[i], 1
            (hidden,) = session.run(None, {"ids": ids, "mask": mask})
            mean = (hidden * mask[..., None]).sum(1) / mask.sum(1, keepdims=True)
            vectors[rows] = mean / np.linalg.norm(mean, axis=1, keepdims=True)
        return vectors

    return encode


def product_gflops():
    """What these threads reach in the largest product of a layer, in 10^9 operations a second."""
    import torch

    a, b = torch.randn(256, 384), torch.randn(384, 1536)
    seconds = []
    for _ in range(200):
        start = time.perf_counter()
        torch.mm(a, b)
        seconds.append(time.perf_counter() - start)
    return 2 * 256 * 384 * 1536 / statistics.median(seconds) / 1e9


def minilm_gflop(lengths):
    """Operations of all-MiniLM-L6-v2 on texts of so many tokens, special ones included: six layers, 384 wide, 1,536 in between."""
    n = np.minimum(np.array(lengths, float), 256)
    return 6 * (2 * n * (4 * 384**2 + 2 * 384 * 1536) + 4 * n**2 * 384).sum() / 1e9


def timed(make, prompts):
    start = time.perf_counter()
    encode = make()
    return Theirs(encode, prompts, time.perf_counter() - start)


def compare(name, who, prompts, n_tokens, rounds, gflop=None, peak=None):
    """Medians of all by turns, and their vectors; the first one is ours."""
    runs = {it: [] for it in who}
    for _ in range(rounds):
        for it, program in who.items():
            runs[it].append(program.run())
    vectors = {it: program.vectors(len(prompts)) for it, program in who.items()}
    medians = {it: statistics.median(seconds) for it, seconds in runs.items()}
    print(f"{name}, {len(prompts):,} prompts, {n_tokens:,} tokens; medians of {rounds}; load {os.getloadavg()[0]:.1f}")
    for it, median in medians.items():
        share = f"  {gflop / median:5.0f} GFLOP/s, {gflop / median / peak:.2f} of the product" if gflop else ""
        print(f"  {it:<28} {median:9.3f} s  {len(prompts) / median:11,.1f} prompts/s  {n_tokens / median:12,.0f} tokens/s{share}   "
              f"loads in {who[it].load:.2f} s")
    return medians, vectors


def largest(vectors, a, b):
    return float(np.abs(vectors[a] - vectors[b]).max())


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
    parser.add_argument("--bf16", action="store_true", help="bfloat16 even without instructions for it")
    args = parser.parse_args()
    # Before any of the libraries is imported.
    os.environ["RAYON_NUM_THREADS"] = os.environ["OMP_NUM_THREADS"] = str(args.threads)
    with_bf16 = args.bf16 or has_bf16()
    # With AMX our own forward pass multiplies, else libtorch.
    bench = build_bench(["--features", "torch"] if with_bf16 and not has("amx_bf16") else [])
    prompts = prompts_of(args)
    few = prompts[:: max(1, len(prompts) // args.n_minilm)]

    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(args.models_dir / args.minilm / "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    lengths = lambda texts: [len(it.ids) for it in tokenizer.encode_batch_fast(texts, add_special_tokens=False)]
    print(f"{processor()}, {args.threads} threads")
    rates, missed = {}, []
    if args.only != "minilm":
        folder = args.models_dir / args.static
        who = {"ours": Ours(bench, folder, prompts), "model2vec": timed(lambda: model2vec(folder), prompts)}
        medians, vectors = compare("static", who, prompts, sum(lengths(prompts)), args.rounds)
        rates["static"] = len(prompts) / medians["ours"]
        difference = largest(vectors, "ours", "model2vec")
        print(f"  vectors differ by at most {difference:.1e}")
        if difference > 1e-6:
            missed.append(f"static vectors differ by {difference:.1e}, more than 1e-6")
        if medians["ours"] > medians["model2vec"]:
            missed.append("static is slower than model2vec")
    if args.only != "static":
        import torch

        torch.set_num_threads(args.threads)
        folder, counts = args.models_dir / args.minilm, lengths(few)
        peak = product_gflops()
        print(f"a float32 product on {args.threads} threads: {peak:.0f} GFLOP/s")
        who = {
            "ours f32": Ours(bench, folder, few),
            "sentence-transformers f32": timed(lambda: sentence_transformers(folder, "float32"), few),
            "ONNX Runtime f32": timed(lambda: onnx_runtime(folder, args.threads), few),
        }
        if with_bf16:
            who["ours bf16"] = Ours(bench, folder, few, "bf16")
            who["sentence-transformers bf16"] = timed(lambda: sentence_transformers(folder, "bfloat16"), few)
        gflop = minilm_gflop([n + 2 for n in counts])
        medians, vectors = compare("minilm", who, few, sum(counts), args.rounds, gflop, peak)
        rates["minilm"] = len(few) / medians["ours f32"]
        for other in ("sentence-transformers f32", "ONNX Runtime f32"):
            difference = largest(vectors, "ours f32", other)
            print(f"  vectors differ from those of {other} by at most {difference:.1e}")
            if difference > 1e-5:
                missed.append(f"MiniLM's vectors differ from those of {other} by {difference:.1e}, more than 1e-5")
        if with_bf16:
            cosine = float((vectors["ours f32"] * vectors["ours bf16"]).sum(1).min())
            print(f"  lowest cosine of ours in bf16 to f32: {cosine:.5f}")
            if cosine < 0.9999:
                missed.append(f"a cosine of bf16 to f32 is {cosine:.5f}, less than .9999")
            ratios = {other: medians[other] / medians["ours bf16"] for other in ("ours f32", "sentence-transformers bf16")}
            print("  ours in bf16 is " + ", ".join(f"{ratio:.2f} times as fast as {other}" for other, ratio in ratios.items()))
            for other, bar in (("ours f32", 4 if has("amx_bf16") else 2.2), ("sentence-transformers bf16", 1.2)):
                if has_bf16() and ratios[other] < bar:
                    missed.append(f"bf16 is {ratios[other]:.2f} times as fast as {other}, less than {bar}")
        else:
            print("  bf16 is left out: this processor has no instructions for it (--bf16 runs it all the same)")
    if len(rates) == 2:
        ratio = rates["static"] / rates["minilm"]
        print(f"static embeds {ratio:.0f} times as many prompts per second as MiniLM")
        if ratio < 80:
            missed.append(f"static is {ratio:.0f} times as fast as MiniLM, less than 80")
    for what in missed:
        print(f"missed: {what}", file=sys.stderr)
    return 1 if missed else 0


def processor():
    """The processor's name, and what of its instructions matters here."""
    info = Path("/proc/cpuinfo")
    if not info.is_file():
        return platform.processor() or platform.machine()
    text = info.read_text()
    names = [line.split(":", 1)[1].strip() for line in text.splitlines() if line.startswith("model name")]
    flags = [flag for flag in ("avx2", "avx512f", "avx512_bf16", "amx_bf16") if f" {flag}" in text]
    return f"{names[0] if names else platform.machine()} ({', '.join(flags)})"


if __name__ == "__main__":
    sys.exit(main())
