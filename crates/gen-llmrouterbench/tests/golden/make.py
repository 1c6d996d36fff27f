#!/usr/bin/env python3
"""Makes bench-release.tar.gz, made-up results in LLMRouterBench's layout, and expected.json, what its own code makes of them.

    git clone https://github.com/ynulihao/LLMRouterBench      # at 0e267fb
    pip install loguru==0.7.3
    PYTHONPATH=LLMRouterBench ./make.py

In it are what its code has rules for: an older result of the same LLM, a demo, an LLM and a data set that the setting leaves out, a null score, a prompt
that two indices share, and one index that LLMs were asked in different words.
"""

import gzip
import io
import json
import os
import random
import sys
import tarfile
import tempfile
import types
from pathlib import Path

# The package imports every adaptor, and with them PyTorch; of the adaptors only their common functions are needed.
CLONE = Path(os.environ["PYTHONPATH"])
for name in ("baselines", "baselines.adaptors"):
    package = types.ModuleType(name)
    package.__path__ = [str(CLONE / name.replace(".", "/"))]
    sys.modules[name] = package

from baselines.aggregators import BaselineAggregator  # noqa: E402
from baselines.data_loader import BaselineDataLoader  # noqa: E402

HERE = Path(__file__).parent
SEEDS = [42, 999, 2024, 2025, 3407]
MODELS = ["gpt-5", "gemini-2.5-pro", "kimi-k2-0905"]
DATA_SETS = ["gpqa", "aime", "mmlupro"]
FILTERS = {
    "skip_demo": True, "datasets": DATA_SETS + ["hle"], "models": MODELS, "splits": ["test", "hybrid", "test_3000"],
}  # fmt: skip
chance = random.Random(7)


def result(data_set, split, model, time, n, demo=False):
    """(path, content) of a result."""
    records = []
    for index in range(n):
        # Every tenth prompt has the text of the one before it.
        text = index - 1 if index % 10 == 9 else index
        words = f"{data_set} question {text}, with an \u00e9 and a \"quote\""
        if model == "kimi-k2-0905" and index == 4:
            words += " in other words"
        records.append({
            "index": index, "origin_query": f"q{index}", "prompt": words, "prompt_tokens": chance.randint(50, 900),
            "completion_tokens": chance.randint(1, 4000), "cost": round(chance.uniform(0, 0.05), 6),
            "score": None if (data_set, model, index) == ("gpqa", "gpt-5", 3) else float(chance.random() < 0.6),
            "prediction": "x", "ground_truth": "y", "raw_output": {"choices": [chance.random() for _ in range(20)]}, "extra_fields": {},
        })  # fmt: skip
    body = {
        "performance": 0.5, "time_taken": 1.0, "prompt_tokens": 1, "completion_tokens": 1, "cost": 1.0, "counts": n, "model_name": model,
        "dataset_name": data_set, "split": split, "demo": demo, "extra_metrics": {}, "data_fingerprint": "", "records": records,
    }  # fmt: skip
    name = f"{data_set}-{split}-{model}-{time}.json"
    return f"results/bench/{data_set}/{split}/{model}/{name}", json.dumps(body, indent=2, ensure_ascii=False)


files = []
for data_set, split, n in [("gpqa", "test", 41), ("aime", "hybrid", 23), ("mmlupro", "test_3000", 60)]:
    for model in MODELS:
        files.append(result(data_set, split, model, "20250917_120000", n))
files += [
    result("aime", "hybrid", "gpt-5", "20250801_120000", 23), result("aime", "hybrid", "gpt-5", "20250918_000000", 23, demo=True),
    result("aime", "hybrid", "openrouter", "20250917_120000", 23), result("arcc", "test", "gpt-5", "20250917_120000", 5),
    result("gpqa", "valid", "gpt-5", "20250917_120000", 5),
]  # fmt: skip
chance.shuffle(files)
with tempfile.TemporaryDirectory() as folder:
    for name, content in files:
        path = Path(folder) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
    loader = BaselineDataLoader(config={"results_dir": f"{folder}/results/bench", "filters": FILTERS})
    records = loader.load_all_records()
expected = {"n_records": len(records), "train": {}, "accuracy": {}, "cost": {}}
for seed in SEEDS:
    train, _ = loader.split_by_dataset_then_prompt(records, train_ratio=0.7, random_seed=seed)
    expected["train"][seed] = sorted({(r.dataset_id, r.split, r.record_index, r.prompt) for r in train})
for key, models in BaselineAggregator(records).aggregate_by_dataset_and_model().items():
    for model, stats in models.items():
        expected["accuracy"][f"{key}/{model}"] = stats.avg_score
        expected["cost"][f"{key}/{model}"] = stats.total_cost
(HERE / "expected.json").write_text(json.dumps(expected, ensure_ascii=False) + "\n", encoding="utf-8")

packed = io.BytesIO()
with tarfile.open(fileobj=packed, mode="w") as archive:
    for name, content in [*files, ("results/README.md", "---\nlicense: mit\n---\n"), ("results/bench/._a.json", "\0")]:
        content = content.encode()
        info = tarfile.TarInfo(name)
        info.size = len(content)
        archive.addfile(info, io.BytesIO(content))
# No time and no name, so that the same script gives the same bytes.
(HERE / "bench-release.tar.gz").write_bytes(gzip.compress(packed.getvalue(), mtime=0))
