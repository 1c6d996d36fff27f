#!/usr/bin/env python3
"""Writes the pickles of this folder and, beside each, `.json` with what a reader must find in it.

Each version of pandas writes its own; make them all with Python 3.11, the first with 3.8:

    python -m venv z && z/bin/pip install pandas==1.1.5 numpy==1.19.5                  && z/bin/python make.py
    python -m venv a && a/bin/pip install pandas==1.5.3 numpy==1.26.4 pyarrow==17.0.0  && a/bin/python make.py
    python -m venv b && b/bin/pip install pandas==2.2.3 numpy==2.2.6  pyarrow==17.0.0  && b/bin/python make.py
    python -m venv c && c/bin/pip install pandas==3.1.1 numpy==2.3.5                   && c/bin/python make.py
    python -m venv d && d/bin/pip install pandas==3.1.1 numpy==2.3.5 pyarrow==22.0.0   && d/bin/python make.py

The first writes only what is of another layout before pandas 1.3, the last only what differs when pyarrow is there.
"""

import datetime
import json
import math
import pickle
import sys
import uuid
from pathlib import Path

import numpy as np
import pandas as pd

HERE = Path(__file__).resolve().parent
MAJOR = int(pd.__version__.split(".")[0])
try:
    import pyarrow  # noqa: F401
except ImportError:
    pyarrow = None
OLD = pd.__version__.startswith("1.1.")
# With pyarrow, pandas 3 keeps text in Arrow's layout, else as Python objects.
NAME = "pandas1.1" if OLD else f"pandas{MAJOR}" + ("-pyarrow" if MAJOR == 3 and pyarrow else "")


def plain(value):
    """JSON for one cell: what is missing, None or NaN or NA, is null; a float is text after `f:`, which keeps its last bit."""
    if value is None or value is pd.NA or value is pd.NaT:
        return None
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
    if isinstance(value, (int, np.integer)):
        return int(value)
    if isinstance(value, (float, np.floating)):
        return None if math.isnan(value) else f"f:{float(value)!r}"
    if isinstance(value, str):
        return value
    return f"not read: {type(value).__name__}"


def frame(case, df, protocol=4, refused=None, refused_columns=()):
    name = f"{NAME}-{case}"
    df.to_pickle(HERE / f"{name}.pkl", protocol=protocol)
    if refused:
        want = {"refused": refused}
    else:
        want = {
            "n_rows": len(df),
            "columns": [[str(c), None if c in refused_columns else [plain(v) for v in df[c]]] for c in df.columns],
        }
    (HERE / f"{name}.json").write_text(json.dumps(want, ensure_ascii=False, separators=(",", ":")) + "\n", encoding="utf-8")


def value(case, obj, arrays, protocol=4):
    """A pickle that is no frame; `arrays` maps the path to each array to the values in C order."""
    name = f"{NAME}-{case}"
    (HERE / f"{name}.pkl").write_bytes(pickle.dumps(obj, protocol=protocol))
    want = {"arrays": {k: [list(a.shape), [plain(v) for v in a.ravel()]] for k, a in arrays.items()}}
    (HERE / f"{name}.json").write_text(json.dumps(want, separators=(",", ":")) + "\n", encoding="utf-8")


def mixed(n=7):
    text = ["plain", "", None, "naïve 日本 🦀", "plain", "['a question']", "x" * 90]
    dtype = {} if MAJOR < 3 else {"dtype": object}
    df = pd.DataFrame({"prompt": pd.Series(text[:n], **dtype)})
    df["text or nan"] = pd.Series(["a", float("nan"), None, "b", "a", "c", "d"][:n], **dtype)
    df["f64"] = np.array([0.5, -1.25, np.nan, np.inf, 1e-300, 3.0, 0.1])[:n]
    df["f32"] = np.array([0.5, -1.25, np.nan, -np.inf, 1e-30, 3.0, 0.1], dtype=np.float32)[:n]
    for kind in ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"):
        info = np.iinfo(kind)
        df[kind] = np.array([0, 1, 2, 3, info.min, info.max, 7], dtype=kind)[:n]
    df["f16"] = np.array([0.5, -1.25, np.nan, 65504, 6e-8, 3.0, 0.1], dtype=np.float16)[:n]
    df["bool"] = np.array([True, False, True, True, False, False, True])[:n]
    df["bool or None"] = pd.Series([True, None, False, True, None, False, True][:n], dtype=object)
    df["number object"] = pd.Series([1, 2.5, None, np.float64(3.5), np.int32(4), True, np.float32(0.1)][:n], dtype=object)
    return df


def main():
    if NAME == "pandas3-pyarrow":
        text = pd.DataFrame({"t": ["a", None, "é", "", "long " * 20], "n": [1, 2, 3, 4, 5]})
        frame("str", text, 5)
        frame("str-sliced", text.iloc[1:4], 4)
        frame("str-concatenated", pd.concat([text, text.iloc[:2]]), 4)
        frame("str-all-there", text[["n"]].assign(u=list("abcde")), 4)
        frame("str-no-rows", text.iloc[:0], 4)
        return
    for protocol in (2, 3, 4, 5):
        frame(f"mixed-p{protocol}", mixed(), protocol)

    if OLD:
        frame("string", pd.DataFrame({"s": pd.array(["a", None], dtype="string"), "n": pd.array([None, 2], dtype="Int64")}))
        return

    loose = pd.DataFrame(index=range(3))
    for j in range(6):
        loose[f"f{j}"] = np.arange(3) * 0.5 + j
        loose[f"s{j}"] = pd.Series([f"{j}-{i}" for i in range(3)], dtype=object)
    frame("not-consolidated", loose, 5)

    values = np.arange(12.0).reshape(4, 3)
    frame("fortran", pd.DataFrame(np.asfortranarray(values), columns=list("abc")), 4)
    frame("c-order", pd.DataFrame(np.ascontiguousarray(values), columns=list("abc")), 5)
    frame("strided", pd.DataFrame(np.arange(48.0).reshape(8, 6)[::2, ::2], columns=list("abc")), 5)
    frame("big-endian", pd.DataFrame({"x": np.array([1.5, -2.5], dtype=">f8"), "y": np.array([1, -2], dtype=">i4")}), 2)
    objects = np.array([["a", None, "c"], ["d", "e", "f"]], dtype=object)
    frame("objects-fortran", pd.DataFrame(np.asfortranarray(objects), columns=list("xyz"), dtype=object), 4)
    # NumPy marks this array as in Fortran's order and lists its objects in C order all the same.
    numbers = np.asfortranarray(np.array([[1, None, 3.5], [4, 5, True]], dtype=object))
    assert numbers.__reduce__()[2][3] is True
    value("objects-flagged-fortran", numbers, {".": numbers}, 4)
    # A frame keeps its columns as rows, so an array in C order lies in Fortran's there.
    flagged = pd.DataFrame(np.ascontiguousarray(objects), columns=list("xyz"), dtype=object, copy=False)
    assert flagged._mgr.blocks[0].values.__reduce__()[2][3] is True
    frame("objects-c-order", flagged, 4)
    frame("sliced-columns", mixed()[["f64", "int32", "prompt", "bool"]].iloc[::-2], 4)
    repeated = "one string for all rows"
    frame("shared-strings", pd.DataFrame({"s": pd.Series([repeated] * 40, dtype=object)}), 4)

    frame("no-rows", mixed(0), 4)
    frame("no-rows-p2", mixed(0), 2)
    frame("unsigned-columns", pd.DataFrame(values, columns=np.array([1, 2, 3], dtype=np.uint64)), 4)
    frame("no-columns", pd.DataFrame(index=range(3)), 4)
    frame("nothing", pd.DataFrame(), 4)
    frame("wide", pd.DataFrame(np.arange(40.0).reshape(1, 40), columns=[f"c{j}" for j in range(40)]), 4)

    # What pandas computes block by block it places by NumPy's integers: slice(np.int64(3), np.int64(4), 1).
    text = {} if MAJOR < 3 else {"dtype": object}
    holes = pd.DataFrame({"key": pd.Series(list("aabb"), **text), "x": [0.5, np.nan, 2.5, 3.5]})
    holes["text"] = pd.Series(["u", None, "v", "w"], dtype=object)
    holes["n"] = [1, 2, 3, 4]
    holes["y"] = [np.nan, 1.5, 2.5, np.nan]
    holes["mixed"] = pd.Series([1, None, 3, 4], dtype=object)
    holes["f"] = np.array([0.5, np.nan, 1.5, 2.5], dtype=np.float32)
    holes["z"] = pd.Series([1.5, None, 2.5, 3.5], dtype=object)
    holes["m"] = [5, 6, 7, 8]
    holes = holes.copy()
    frame("fillna", holes.fillna({"x": 0, "y": 0}), 4)
    frame("fillna-all", holes.fillna(0), 5, refused_columns=("text",))
    frame("ffill", holes.ffill(), 4)
    frame("groupby-first", holes.groupby("key").first(), 4)
    frame("groupby-mean", holes[["key", "x", "n", "y"]].groupby("key", as_index=False).mean(), 4)
    frame("interpolate", holes[["x", "n", "y"]].interpolate(), 4)
    frame("infer-objects", holes.infer_objects(), 4)
    frame("where", holes.where(holes["n"] > 1), 4)
    frame("convert-dtypes", holes.convert_dtypes(), 4)
    narrow = mixed()[["int8", "int16", "int32", "uint8", "uint16", "uint32", "uint64", "f32", "bool or None"]]
    frame("convert-dtypes-narrow", narrow.convert_dtypes(), 5)

    index = [
        ("range", pd.RangeIndex(5, 1, -2)),
        ("text", pd.Index(["a", "b"], name="key")),
        ("int", pd.Index([7, 9])),
        ("float", pd.Index([0.5, 1.5])),
        ("multi", pd.MultiIndex.from_tuples([("a", 1), ("b", 2)])),
        ("dates", pd.date_range("2024-01-01", periods=2)),
        ("zone", pd.date_range("2024-01-01", periods=2, tz="UTC")),
        ("categories", pd.CategoricalIndex(["u", "v"])),
    ]
    for name, rows in index:
        frame(f"index-{name}", pd.DataFrame({"v": [0.5, 1.5][: len(rows)]}, index=rows), 4)
    frame("columns-int", pd.DataFrame(values, columns=[10, 20, 30]), 4)
    frame("columns-multi", pd.DataFrame(values, columns=pd.MultiIndex.from_product([["a"], [1, 2, 3]])), 4, refused="MultiIndex")

    # Beside a column that is not read stand others that are.
    odd = pd.DataFrame({"n": [1, 2]})
    odd["category"] = pd.Categorical(["u", "v"])
    odd["when"] = pd.to_datetime(["2024-01-01", "2024-01-02"])
    odd["string"] = pd.array(["a", None], dtype="string[python]")
    odd["Int64"] = pd.array([1, None], dtype="Int64")
    odd["boolean"] = pd.array([True, None], dtype="boolean")
    odd["Float32"] = pd.array([0.5, None], dtype="Float32")
    frame("extension", odd, 4, refused_columns=("category", "when"))
    frame("tuples", pd.DataFrame({"n": [1, 2], "t": pd.Series([(1, 2), [3]], dtype=object)}), 4, refused_columns=("t",))
    frame("foreign", pd.DataFrame({"t": [uuid.UUID(int=1)]}), 4, refused="uuid.UUID")
    if MAJOR < 3:
        text = pd.DataFrame({"t": pd.array(["a", None, "é"], dtype="string[pyarrow]")})
        frame("string-pyarrow", text, 4)
        frame("string-pyarrow-chunks", pd.concat([text, text.iloc[1:]]), 5)
        frame("int-pyarrow", pd.DataFrame({"n": pd.array([1, 2], dtype="int64[pyarrow]")}), 4, refused="ArrowExtensionArray")
    if MAJOR == 3:
        frame("str", pd.DataFrame({"t": ["a", None, "é"], "n": [1, 2, 3], "u": ["x", "y", "x"]}), 5)

    ints = np.arange(6, dtype=np.int32).reshape(2, 3)
    deep = {"task": {"correctness": ints.astype(float), "models": ["m", "n"]}, "fortran": np.asfortranarray(ints)}
    for protocol in (2, 3, 4, 5):
        value(f"dict-p{protocol}", deep, {"task/correctness": deep["task"]["correctness"], "fortran": ints}, protocol)
    value("array", ints[0], {".": ints[0]}, 5)
    scalars = {"a": np.float64(0.5), "b": np.int8(-3), "c": np.bool_(True), "d": np.arange(3)}
    value("scalars", scalars, {"d": scalars["d"]}, 4)


if __name__ == "__main__":
    sys.exit(main())
