#!/usr/bin/env python3
"""Writes what the tests of gen-routerbench read.

    python make.py literals      literals.json: `[str(list), list]` of random strings, as `str` writes them (Python 3.11)
    python make.py frame         pandas<major>.pkl: a frame of two LLMs laid out as routerbench_0shot.pkl, by the installed pandas
    python make.py published     published-pandas<major>.pkl: a frame with the 37 columns of the published file; published.parquet: the same
                                 without the answers, as pandas itself reads it back

The frames were made with pandas 1.5.3 (NumPy 1.26.4), 2.2.3 (NumPy 2.2.6) and 3.1.1 (NumPy 2.3.5); those of `published` with the first two,
and the Parquet file with pyarrow 17.0.0. Every text and number is made up.

    python -m venv a && a/bin/pip install pandas==1.5.3 numpy==1.26.4 pyarrow==17.0.0 && a/bin/python make.py published
    python -m venv b && b/bin/pip install pandas==2.2.3 numpy==2.2.6  pyarrow==17.0.0 && b/bin/python make.py published
"""

import json
import random
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent


def literals():
    random.seed(42)
    pieces = ["a", "Z", " ", "'", '"', "\\", "\n", "\r", "\t", "\0", "\x1b", "\x7f", "\x85", "\xa0", "é", "ÿ", "\u0100", "\u200b", "\u2028",
              "北", "\ufeff", "\U0001f600", "\U000e0001", "n", "x41", "u0041", "[", "]", ", "]
    cases = []
    for _ in range(600):
        strings = ["".join(random.choices(pieces, k=random.randint(0, 12))) for _ in range(random.choice([1, 1, 1, 2, 3]))]
        cases.append([str(strings), strings])
    (HERE / "literals.json").write_text(json.dumps(cases, indent=0) + "\n")


def frame():
    import numpy as np
    import pandas as pd

    prompts = [
        str(["How many?\nA. 1\nB. 2\nAnswer:"]),
        str(["It's \"so\""]),
        str(["plain"]),
        str(["汉字"]),
        str(["Turn one", "Turn two"]),
        "Not a list at all",
        str(["\\frac{1}{2}"]),
        str(["naïve – 北京"]),
        str(["last but two"]),
        str(["no one knows"]),
        str(["汉字 again"]),
        str(["last"]),
    ]
    names = ["mmlu.a", "gsm8k", "mmlu.a", "chinese_homonym", "mtbench", "mtbench", "math", "mmlu.a", "gsm8k", "gsm8k", "Chinese_riddles", "gsm8k"]
    columns = {
        "sample_id": [f"{name}.val.{i}" for i, name in enumerate(names)],
        "prompt": prompts,
        "eval_name": names,
        "org/small": [1.0, 0.0, 0.25, 1.0, 0.5, 1.0, 0.0, 1.0, 0.0, np.nan, 1.0, 0.75],
        "large": [1.0, 1.0, 0.5, 0.0, 0.9, 1.0, 1.0, 0.0, 1.0, 0.125, 1.0, 1.0],
    }
    for model, factor in [("org/small", 1e-5), ("large", 1e-3)]:
        columns[f"{model}|model_response"] = [None if i % 5 == 4 else f"answer {i} of {model}" for i in range(12)]
        columns[f"{model}|total_cost"] = (np.arange(1, 13) * factor).astype(np.float32)
    columns["oracle_model_to_route_to"] = ["org/small"] * 12
    major = pd.__version__.split(".")[0]
    pd.DataFrame(columns).to_pickle(HERE / f"pandas{major}.pkl")


def published():
    import pandas as pd

    models = ["WizardLM/WizardLM-13B-V1.2", "claude-instant-v1", "claude-v1", "claude-v2", "gpt-3.5-turbo-1106", "gpt-4-1106-preview",
              "meta/code-llama-instruct-34b-chat", "meta/llama-2-70b-chat", "mistralai/mistral-7b-chat", "mistralai/mixtral-8x7b-chat",
              "zero-one-ai/Yi-34B-Chat"]
    names = ["mmlu-abstract-algebra", "grade-school-math", "Chinese_homonym", "hellaswag", "mbpp", "arc-challenge", "chinese_zodiac"]
    questions = ["How far is it from {} to {}?\nA. near\nB. far\nAnswer:", "It's {} o'clock; \"when\" is {}?", "第{}题：{}是什么？",
                 "A naïve reader – number {} – turns\tto page {}", "def f(x):\n    return x \\\n        + {} * {}", 'Say "{}", not "{}".', "属相 {} {}"]
    n = 42
    rng = random.Random(7)
    prompts = [str([questions[i % 7].format(i, 100 + i)]) for i in range(n)]
    columns = {
        "sample_id": [f"{names[i % 7]}.val.{i // 7}" for i in range(n)],
        "prompt": prompts,
        "eval_name": [names[i % 7] for i in range(n)],
    }
    # Scores of judged answers are fractions; costs are long ones, as a price times a token count is.
    for model in models:
        columns[model] = [rng.choice([0.0, 1.0, 1.0, 0.25, 0.1 * rng.randint(1, 9)]) for _ in range(n)]
    for m, model in enumerate(models):
        columns[f"{model}|model_response"] = [None if (i + m) % 11 == 0 else f"answer {i} of {m}: é" for i in range(n)]
        columns[f"{model}|total_cost"] = [(m + 1) * rng.randint(20, 900) * 1.5e-7 for i in range(n)]
    columns["oracle_model_to_route_to"] = [rng.choice(models + ["no_model_correct"]) for _ in range(n)]
    major = pd.__version__.split(".")[0]
    path = HERE / f"published-pandas{major}.pkl"
    pd.DataFrame(columns).to_pickle(path)
    read = pd.read_pickle(path)
    assert read.shape == (n, 37)
    read[[c for c in read.columns if not c.endswith("|model_response")]].to_parquet(HERE / "published.parquet", index=False)


{"literals": literals, "frame": frame, "published": published}[sys.argv[1]]()
