#!/usr/bin/env python3
"""Binary routers side by side: what Python's libraries take, and what ours take, on the same rows in the same run.

    pip install -r scripts/requirements-bench.txt
    scripts/bench_routers.py rorf                       a data set's pair, here open-llm with MiniLM embeddings
    scripts/bench_routers.py rorf --made-up 28569 1536  made-up rows of RouterBench's size
    scripts/bench_routers.py mf                         made-up rows, 16,000 x 1,536
    scripts/bench_routers.py roberta                    made-up prompts, weights of roberta-base's shape

rorf: scikit-learn's RandomForestClassifier(n_jobs=2) as the reference runs it, against the bench `forest` of the crate `routers`, with 100 trees
and scikit-learn's defaults. Both are fitted once with each seed, by turns; medians count. Agreement: the mean over seeds of the AUROC for
"small is right" on the test rows differs by at most .01. On the made-up rows an AUROC varies by .006 from seed to seed: with few seeds chance
alone may miss that, and the standard error tells. The data set must be there with its embeddings (`cargo run -p gen-custom`, then
`cargo run -p train-and-infer -- --routers carrot-knn --embedding minilm`).

mf: a plain PyTorch loop with the reference's settings, against the bench `mf` of the crate `routers`. Both train for 100 epochs with each seed on the
same rows and validate every 10 steps on the same others. Agreement: the means over seeds of the best validation log-likelihood, and of the last
one, differ by at most .002.

roberta: `RobertaForSequenceClassification` of transformers, its batches padded to their longest prompt, against the bench `roberta` of the crate `encoder`.
Both read one folder with random weights, split texts themselves, and have the same threads: one prompt of 128 tokens, by turns, medians; then
prompts of mixed lengths (a log-normal law with its median at 64 tokens, cut off at 512), once each. Agreement: outputs differ by at most 1e-4.

Ends with 1 if a ratio or an agreement is missed.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

ROOT = Path(__file__).resolve().parent.parent


@dataclass
class Pair:
    """Embeddings of both splits, and whether the small and the large LLM answer each prompt right."""

    name: str
    train: np.ndarray
    test: np.ndarray
    train_right: tuple
    test_right: tuple


def read_pair(args):
    root = args.data_dir / args.dataset
    small, large = args.small, args.large

    def part(name):
        vectors = pq.read_table(root / f"embeddings/{args.embedding}/{name}.parquet")["embedding"].combine_chunks()
        table = pq.read_table(root / f"{name}.parquet", columns=[f"{small}/score", f"{large}/score"])
        scores = [column.to_numpy() for column in table.columns]
        known = ~np.isnan(scores[0]) & ~np.isnan(scores[1])
        rows = np.asarray(vectors.flatten(), np.float32).reshape(len(vectors), -1)
        return rows[known], tuple(score[known] > 0.5 for score in scores)

    (train, train_right), (test, test_right) = part("train"), part("test")
    return Pair(f"{args.dataset}, {args.embedding}", train, test, train_right, test_right)


def make_pair(n_rows, dim):
    """Embeddings around 200 topics; how often the LLMs are right depends on the topic."""
    rng = np.random.default_rng(0)
    n_test = n_rows // 4
    topics = rng.standard_normal((200, dim)).astype(np.float32)
    topic = rng.integers(200, size=n_rows + n_test)
    rows = topics[topic] + 1.5 * rng.standard_normal((n_rows + n_test, dim), dtype=np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    ability = rng.uniform(0.2, 0.9, (200, 2))
    right = rng.uniform(size=(n_rows + n_test, 2)) < ability[topic]
    parts = [tuple(right[part].T) for part in (slice(n_rows), slice(n_rows, None))]
    return Pair("made up", rows[:n_rows], rows[n_rows:], *parts)


def outcomes(right):
    """RoRF's classes: 0 only the large one is right, 1 neither, 2 both, 3 only the small one."""
    small, large = right
    return np.select([small & large, small, large], [2, 3, 0], 1).astype(np.uint8)


def build_bench(name, package="routers"):
    """The program of a bench, built with the profile that `cargo run` uses."""
    command = ["cargo", "bench", "-p", package, "--profile", "dev", "--bench", name, "--no-run", "--message-format", "json"]
    lines = subprocess.run(command, check=True, cwd=ROOT, stdout=subprocess.PIPE, text=True).stdout.splitlines()
    artifacts = [message for message in map(json.loads, lines) if message["reason"] == "compiler-artifact"]
    return next(artifact["executable"] for artifact in artifacts if artifact["target"]["name"] == name and artifact["executable"])


def fit_ours(bench, folder, dim, seed):
    command = [bench, str(folder), str(dim), str(seed)]
    run = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)
    probabilities = np.fromfile(folder / f"ours-{seed}.f64", "<f8").reshape(-1, 4)
    return run["fit"], run["predict"], run["nodes"], probabilities


def fit_sklearn(pair, labels, seed):
    from sklearn.ensemble import RandomForestClassifier

    start = time.perf_counter()
    forest = RandomForestClassifier(random_state=seed, n_jobs=2).fit(pair.train, labels)
    fit = time.perf_counter() - start
    start = time.perf_counter()
    seen = forest.predict_proba(pair.test)
    predict = time.perf_counter() - start
    probabilities = np.zeros((len(pair.test), 4))
    probabilities[:, forest.classes_] = seen
    return fit, predict, sum(tree.tree_.node_count for tree in forest.estimators_), probabilities


def bench_rorf(args):
    from sklearn.metrics import roc_auc_score

    pair = make_pair(*args.made_up) if args.made_up else read_pair(args)
    labels = outcomes(pair.train_right)
    n_rows, dim = pair.train.shape
    runs = {"ours": [], "scikit-learn": []}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        pair.train.astype("<f4").tofile(folder / "train.f32")
        pair.test.astype("<f4").tofile(folder / "test.f32")
        labels.tofile(folder / "labels.u8")
        bench = build_bench("forest")
        for seed in args.seeds:
            runs["ours"].append(fit_ours(bench, folder, dim, seed))
            runs["scikit-learn"].append(fit_sklearn(pair, labels, seed))

    print(f"rorf on {pair.name}: {n_rows} x {dim} train rows, {len(pair.test)} test rows, seeds {args.seeds}; medians")
    medians, means, variances = {}, {}, {}
    for who, results in runs.items():
        fit, predict, nodes = (statistics.median(result[i] for result in results) for i in range(3))
        auroc = [roc_auc_score(pair.test_right[0], p[:, 2] + p[:, 3]) for *_, p in results]
        spread = statistics.stdev(auroc) if len(auroc) > 1 else float("nan")
        medians[who], means[who], variances[who] = fit, statistics.mean(auroc), spread**2 / len(auroc)
        fits = " ".join(f"{result[0]:.2f}" for result in results)
        print(f"{who:13} fit {fit:7.2f} s ({fits})   predict {predict:.3f} s   {nodes:,.0f} nodes   "
              f"AUROC {means[who]:.4f}, standard deviation {spread:.4f} ({' '.join(f'{a:.4f}' for a in auroc)})")
    ratio = medians["scikit-learn"] / medians["ours"]
    difference = means["ours"] - means["scikit-learn"]
    print(f"ratio {ratio:.1f}, AUROC differs by {difference:+.4f} with a standard error of {sum(variances.values()) ** 0.5:.4f}")
    failures = []
    if ratio < args.min_ratio:
        failures.append(f"ours is {ratio:.1f} times as fast, not {args.min_ratio}")
    if abs(difference) > args.tolerance:
        failures.append(f"AUROC differs by more than {args.tolerance}")
    return failures


def fit_ours_mf(bench, folder, dim, seed):
    command = [bench, str(folder), str(dim), str(seed)]
    run = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)
    validation = np.fromfile(folder / f"validation-{seed}.u32", "<u4").astype(np.int64)
    return (run["fit"], run["best"], run["last"], run["best_step"]), validation


def fit_torch(rows, labels, validation, seed, n_epochs=100):
    """The plain loop; times, best and last validation log-likelihood, and the step of the best."""
    import torch
    from torch import nn
    from torch.nn import functional as F

    class MatrixFactorization(nn.Module):
        def __init__(self, text_dim, dim=128):
            super().__init__()
            self.model = nn.Embedding(1, dim)
            self.projection = nn.Linear(text_dim, dim, bias=False)
            self.classifier = nn.Linear(dim, 1, bias=False)

        def forward(self, x):
            if self.training:
                x = x + 0.05 * torch.randn_like(x)
            return self.classifier(F.normalize(self.model.weight, dim=1) * self.projection(x)).squeeze(1)

    torch.manual_seed(seed)
    start = time.perf_counter()
    is_train = np.ones(len(rows), bool)
    is_train[validation] = False
    x, y = torch.from_numpy(rows[is_train]), torch.from_numpy(labels[is_train]).float()
    x_validation, y_validation = torch.from_numpy(rows[validation]), torch.from_numpy(labels[validation]).float()
    net = MatrixFactorization(rows.shape[1])
    adam = torch.optim.Adam(net.parameters(), lr=3e-4, weight_decay=1e-5)
    step, best, best_step = 0, -np.inf, 0
    for _ in range(n_epochs):
        for batch in torch.randperm(len(x)).split(64):
            loss = F.binary_cross_entropy_with_logits(net(x[batch]), y[batch])
            adam.zero_grad()
            loss.backward()
            adam.step()
            step += 1
            if step % 10 == 0:
                net.eval()
                with torch.no_grad():
                    last = -F.binary_cross_entropy_with_logits(net(x_validation), y_validation).item()
                net.train()
                if last > best:
                    best, best_step = last, step
                    weights = {name: weight.clone() for name, weight in net.state_dict().items()}
    net.load_state_dict(weights)
    return time.perf_counter() - start, best, last, best_step


def bench_mf(args):
    pair = make_pair(*args.made_up)
    small, large = pair.train_right
    labels = (small >= large).astype(np.uint8)
    n_rows, dim = pair.train.shape
    runs = {"ours": [], "PyTorch": []}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        pair.train.astype("<f4").tofile(folder / "train.f32")
        labels.tofile(folder / "labels.u8")
        bench = build_bench("mf", "routers")
        for seed in args.seeds:
            ours, validation = fit_ours_mf(bench, folder, dim, seed)
            runs["ours"].append(ours)
            runs["PyTorch"].append(fit_torch(pair.train, labels, validation, seed))

    print(f"mf on {pair.name} rows: {n_rows} x {dim}, a tenth of them to validate, seeds {args.seeds}; median time, mean log-likelihoods")
    times, means = {}, {}
    for who, results in runs.items():
        times[who] = statistics.median(result[0] for result in results)
        means[who] = [statistics.mean(result[i] for result in results) for i in (1, 2)]
        fits = " ".join(f"{result[0]:.2f}" for result in results)
        steps = " ".join(f"{result[1]:.4f} at {result[3]}" for result in results)
        print(f"{who:8} {times[who]:6.2f} s ({fits})   best {means[who][0]:.4f} ({steps})   last {means[who][1]:.4f}")
    ratio = times["PyTorch"] / times["ours"]
    differences = [ours - theirs for ours, theirs in zip(means["ours"], means["PyTorch"])]
    print(f"ratio {ratio:.1f}, log-likelihood differs by {differences[0]:+.4f} (best) and {differences[1]:+.4f} (last)")
    failures = []
    if ratio < args.min_ratio:
        failures.append(f"ours is {ratio:.1f} times as fast, not {args.min_ratio}")
    if max(map(abs, differences)) > args.tolerance:
        failures.append(f"log-likelihood differs by more than {args.tolerance}")
    return failures


def make_roberta(folder):
    """A classifier of roberta-base's shape with random weights, whose tokens are bytes."""
    import torch
    from tokenizers.pre_tokenizers import ByteLevel
    from transformers import RobertaConfig, RobertaForSequenceClassification

    torch.manual_seed(0)
    config = RobertaConfig(vocab_size=50_265, max_position_embeddings=514, type_vocab_size=1, layer_norm_eps=1e-5, num_labels=11,
                           problem_type="multi_label_classification", bos_token_id=0, pad_token_id=1, eos_token_id=2)
    RobertaForSequenceClassification(config).save_pretrained(folder)
    tokens = ["<s>", "<pad>", "</s>", "<unk>", *sorted(ByteLevel.alphabet()), "<mask>"]
    (folder / "vocab.json").write_text(json.dumps({token: i for i, token in enumerate(tokens)}), encoding="utf-8")
    (folder / "merges.txt").write_text("#version: 0.2\n", encoding="utf-8")


def roberta_ours(bench, folder, prompts, threads):
    (folder / "prompts.json").write_text(json.dumps(prompts), encoding="utf-8")
    # The first of two runs is a warm-up, as theirs has had one.
    command = [bench, str(folder), str(threads), "2" if len(prompts) == 1 else "1"]
    run = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)
    return run["seconds"][-1], np.fromfile(folder / "ours.f32", "<f4").reshape(len(prompts), -1)


def roberta_theirs(model, tokenizer, prompts, batch_size):
    import torch

    start = time.perf_counter()
    outputs = []
    with torch.inference_mode():
        for i in range(0, len(prompts), batch_size):
            tokens = tokenizer(prompts[i : i + batch_size], padding=True, truncation=True, max_length=512, return_tensors="pt")
            outputs.append(model(**tokens).logits)
    return time.perf_counter() - start, torch.cat(outputs).numpy()


def bench_roberta(args):
    import torch
    from transformers import RobertaForSequenceClassification, RobertaTokenizerFast

    torch.set_num_threads(args.threads)
    rng = np.random.default_rng(0)
    letters = list("abcdefghijklmnopqrstuvwxyz ")

    def prompt(n_tokens):
        return "".join(rng.choice(letters, n_tokens - 2))

    one = [prompt(128)]
    lengths = np.clip(np.exp(rng.normal(np.log(64), 1, args.prompts)), 3, 512).astype(int)
    mixed = [prompt(n) for n in lengths]
    failures = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_roberta(folder)
        bench = build_bench("roberta", "encoder")
        model = RobertaForSequenceClassification.from_pretrained(folder).eval()
        tokenizer = RobertaTokenizerFast.from_pretrained(folder)
        if (n_tokens := len(tokenizer(one[0])["input_ids"])) != 128:
            sys.exit(f"the prompt has {n_tokens} tokens, not 128")
        roberta_theirs(model, tokenizer, one, 1)
        cases = [
            ("a prompt of 128 tokens", one, args.runs, args.min_ratio_one),
            (f"{len(mixed)} prompts of {lengths.mean():.0f} tokens on average", mixed, 1, args.min_ratio_mixed),
        ]
        for what, prompts, n_runs, min_ratio in cases:
            ours, theirs = [], []
            for _ in range(n_runs):
                ours.append(roberta_ours(bench, folder, prompts, args.threads))
                theirs.append(roberta_theirs(model, tokenizer, prompts, args.batch_size))
            difference = np.abs(ours[-1][1] - theirs[-1][1]).max()
            times = [statistics.median(seconds for seconds, _ in runs) for runs in (ours, theirs)]
            ratio = times[1] / times[0]
            print(f"roberta, {what}, {args.threads} threads: ours {times[0]:.3f} s, transformers {times[1]:.3f} s, "
                  f"ratio {ratio:.2f}; outputs differ by {difference:.1e}")
            if ratio < min_ratio:
                failures.append(f"{what}: ours is {ratio:.2f} times as fast, not {min_ratio}")
            if not difference <= args.tolerance:
                failures.append(f"{what}: outputs differ by {difference:.1e}")
    return failures


def parse_args():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    routers = parser.add_subparsers(dest="router", required=True, metavar="ROUTER")
    rorf = routers.add_parser("rorf", help="the random forest")
    rorf.set_defaults(bench=bench_rorf)
    rorf.add_argument("--data-dir", type=Path, default=ROOT / "data")
    rorf.add_argument("--dataset", default="open-llm")
    rorf.add_argument("--embedding", default="minilm")
    rorf.add_argument("--small", default="Qwen/Qwen2.5-7B-Instruct")
    rorf.add_argument("--large", default="Qwen/Qwen2.5-72B-Instruct")
    rorf.add_argument("--made-up", type=int, nargs=2, metavar=("ROWS", "DIM"), help="made-up rows in place of a data set's")
    rorf.add_argument("--seeds", type=int, nargs="+", default=[42, 1, 2, 3, 4])
    rorf.add_argument("--min-ratio", type=float, default=3.0, help="least ratio of the times to fit")
    rorf.add_argument("--tolerance", type=float, default=0.01, help="largest difference of mean AUROC")
    mf = routers.add_parser("mf", help="the matrix factorization")
    mf.set_defaults(bench=bench_mf)
    mf.add_argument("--made-up", type=int, nargs=2, default=(16_000, 1_536), metavar=("ROWS", "DIM"), help="made-up rows of this size")
    mf.add_argument("--seeds", type=int, nargs="+", default=[42, 1, 2])
    mf.add_argument("--min-ratio", type=float, default=4.0, help="least ratio of the times to train")
    mf.add_argument("--tolerance", type=float, default=0.002, help="largest difference of mean log-likelihoods")
    roberta = routers.add_parser("roberta", help="a RoBERTa classifier that predicts")
    roberta.set_defaults(bench=bench_roberta)
    roberta.add_argument("--threads", type=int, default=2)
    roberta.add_argument("--runs", type=int, default=5, help="of the single prompt")
    roberta.add_argument("--prompts", type=int, default=500, help="of mixed lengths")
    roberta.add_argument("--batch-size", type=int, default=16, help="of transformers")
    roberta.add_argument("--min-ratio-one", type=float, default=1.2, help="least ratio of the times for the single prompt")
    roberta.add_argument("--min-ratio-mixed", type=float, default=3.0, help="the same for prompts of mixed lengths")
    roberta.add_argument("--tolerance", type=float, default=1e-4, help="largest difference of outputs")
    return parser.parse_args()


def main():
    args = parse_args()
    failures = args.bench(args)
    print("\n".join(f"FAILED: {failure}" for failure in failures) or "OK")
    sys.exit(bool(failures))


if __name__ == "__main__":
    main()
