#!/usr/bin/env python3
"""Writes what the tests of gen-routerbench read.

    python make.py literals      literals.json: `[str(list), list]` of random strings, as `str` writes them (Python 3.11)
    python make.py frame         pandas<major>.pkl: a frame laid out as routerbench_0shot.pkl, by the installed pandas

The frames were made with pandas 1.5.3 (NumPy 1.26.4), 2.2.3 (NumPy 2.2.6) and 3.1.1 (NumPy 2.3.5). Every number is made up.
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


{"literals": literals, "frame": frame}[sys.argv[1]]()
