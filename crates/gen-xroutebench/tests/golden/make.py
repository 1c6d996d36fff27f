#!/usr/bin/env python3
"""Makes made-up files in xRouteBench's layout, and expected.json, what pandas makes of them.

    pip install pandas==3.1.1 pyarrow==26.0.1
    ./make.py

The columns and their order are those that others have listed of its revision ea4b6e1: `choices` and `task_id` may be null, and answers come in any order.
"""

import json
import random
from pathlib import Path

import pandas as pd

HERE = Path(__file__).parent
MODELS = ["qwen2.5-7b-instruct", "gpt-oss-120b", "deepseek-v3.1"]
PRICES = {"qwen2.5-7b-instruct": (0.3, 0.3), "gpt-oss-120b": (0.15, 0.6), "deepseek-v3.1": (0.6, 1.7)}
TASKS = ["gsm8k", "mmlu", "mbpp"]
chance = random.Random(3)


def answers(part, n):
    rows = []
    for number in range(n):
        for model in MODELS:
            input_tokens, output_tokens = chance.randint(20, 900), chance.randint(1, 1500)
            rows.append({
                "task_name": TASKS[number % 3], "query": f"{part} question {number}: \u00e9?", "ground_truth": "42", "metric": "em",
                "choices": None if number % 2 else "A, B", "task_id": None if number % 3 else str(number), "model_name": model,
                "response": "an answer " * 50, "token_num": input_tokens + output_tokens, "input_tokens": input_tokens, "output_tokens": output_tokens,
                "response_time": chance.random(), "performance": float(chance.random() < 0.5), "embedding_id": number,
            })  # fmt: skip
    chance.shuffle(rows)
    return pd.DataFrame(rows)


def write(frame, name):
    path = HERE / name
    path.parent.mkdir(exist_ok=True)
    frame.to_parquet(path, index=False)


expected = {}
for part, n in [("train", 30), ("test", 12)]:
    frame = answers(part, n)
    write(frame, f"llmrouter_generic/{part}.parquet")
    frame["usd"] = [(i * PRICES[m][0] + o * PRICES[m][1]) / 1e6 for m, i, o in zip(frame.model_name, frame.input_tokens, frame.output_tokens)]
    expected[part] = {
        "n_answers": len(frame), "n_prompts": int(frame.embedding_id.nunique()),
        "score": frame.groupby("model_name").performance.mean().to_dict(), "usd": frame.groupby("model_name").usd.mean().to_dict(),
    }  # fmt: skip
candidates = [
    {"model_name": m, "size": "7B", "input_price_per_1m": PRICES[m][0], "output_price_per_1m": PRICES[m][1], "service": "made-up", "api_model_id": m, "description": "x"}
    for m in MODELS
]  # fmt: skip
write(pd.DataFrame(candidates), "llm_candidates/train.parquet")
(HERE / "README.md").write_text("---\ntags:\n- llm-routing\n---\n\nMade up; as the real card, without a licence.\n")
(HERE / "expected.json").write_text(json.dumps(expected, indent=1) + "\n")
