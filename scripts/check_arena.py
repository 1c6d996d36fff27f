#!/usr/bin/env python3
"""RouterArena's own checker on the files that `carrot-router arena` writes.

    git clone https://github.com/RouteWorks/RouterArena
    pip install pyarrow
    scripts/check_arena.py --arena RouterArena

Makes a router of synthetic prompts, and 809 made-up prompts in the layout of router_data_10.json (the number that the checker asks for), of which some
are as long as a page. Copies what the checker reads of the clone (router_inference/check_config_prediction_files.py, universal_model_names.py,
model_cost/cost.json) into a folder, has `arena` write there, and runs it. Then the router's own train prompts, which must be refused. Exits 1 otherwise.
Installs and changes nothing in the clone.
"""

import argparse
import json
import random
import shutil
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq

sys.path.insert(0, str(Path(__file__).resolve().parent / "long"))
from bench import Bench, build  # noqa: E402

READ = ["router_inference/check_config_prediction_files.py", "universal_model_names.py", "model_cost/cost.json"]
# Of those that RouterArena has names and prices for.
NAMES = ["gpt-4o-mini", "claude-3-haiku-20240307", "gemini-2.0-flash-001", "mistral-medium", "gpt-4o", "gpt-4.1", "gpt-4.1-mini", "gpt-4.1-nano"]
N_PROMPTS = 809


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--arena", type=Path, required=True, help="a clone of RouterArena")
    args = parser.parse_args()
    build("gen-synthetic", "train-and-infer", "carrot-router")
    bench = Bench()
    bench.succeed("gen-synthetic", "-q", "--n", "400", "--name", "arena")
    bench.succeed("train-and-infer", "-q", "--dataset", "arena", "--routers", "carrot-knn", "--embedding", "minilm")
    models = [model["name"] for model in json.loads((bench.folder / "data/arena/dataset.json").read_text())["models"]]
    (bench.folder / "names.toml").write_text("".join(f'"{ours}" = "{theirs}"\n' for ours, theirs in zip(models, NAMES)))
    for name in READ:
        place = bench.folder / "RouterArena" / name
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(args.arena / name, place)
    words = "which of these planets is nearest to \u00e9toile {x} and \"why\" \\ is that so \u2014 answer briefly".split()
    chance = random.Random(1)
    data = [{"prompt_formatted": " ".join(chance.choices(words, k=chance.choice([12, 60, 1500]))), "global index": f"Set_{i}"} for i in range(N_PROMPTS)]
    dataset = bench.folder / "RouterArena/dataset"
    dataset.mkdir()
    (dataset / "router_data_10.json").write_text(json.dumps(data, ensure_ascii=False, indent=2))
    (dataset / "router_robustness.json").write_text(json.dumps(data[:420], ensure_ascii=False, indent=2))
    command = ["carrot-router", "arena", "-q", "--model", "models/arena/carrot-knn", "--mu", "0.3", "--names", "names.toml", "--name", "carrot",
               "--output", "RouterArena"]  # fmt: skip
    data_files = ["--router-data", dataset / "router_data_10.json", "--robustness", dataset / "router_robustness.json"]
    bench.succeed(*command, *data_files)
    checker = bench.folder / "RouterArena" / READ[0]
    splits = ["sub_10", "robustness"] if "robustness" in checker.read_text() else ["sub_10"]
    for split in splits:
        done = subprocess.run([sys.executable, checker, "carrot", split], capture_output=True, text=True)
        if done.returncode != 0 or "ALL CHECKS PASSED" not in done.stdout:
            sys.exit(f"check_arena: {split}: {done.stdout}\n{done.stderr}")
        print(f"check_arena: RouterArena's checker accepts the files, split {split}")
    # The checker must be able to fail.
    predictions = bench.folder / "RouterArena/router_inference/predictions/carrot.json"
    entries = json.loads(predictions.read_text())
    predictions.write_text(json.dumps([entries[0] | {"prompt": "another"}, *entries[1:]]))
    if subprocess.run([sys.executable, checker, "carrot", "sub_10"], capture_output=True).returncode == 0:
        sys.exit("check_arena: the checker accepts a prompt that is not RouterArena's")
    train = pq.read_table(bench.folder / "data/arena/train.parquet", columns=["prompt"])["prompt"].to_pylist()
    longest = max(train, key=len)
    own = [{"prompt_formatted": f"Please answer. {longest}", "global index": "Set_0"}, data[1]]
    (dataset / "own.json").write_text(json.dumps(own))
    code, _, errors = bench.run(*command, "--router-data", dataset / "own.json")
    if code != 1 or "for evaluation only" not in errors:
        sys.exit(f"check_arena: a router that was trained on a prompt is not refused: {code}\n{errors}")
    print("check_arena: a router that was trained on a prompt is refused")


main()
