#!/usr/bin/env python3
"""Runs the two routers for RouterArena and LLMRouter in stand-ins of those programs, and compares them with the package itself.

usage: integrations/check_python.py MODEL_FOLDER EMBEDDER_FOLDER

The stand-ins have what the two base classes give a router: a config read from JSON, `models` and a check of the answer; a YAML's content as `cfg`,
and `llm_data`. Exits 1 where a choice differs.
"""

import json
import sys
import tempfile
import types
from pathlib import Path

import numpy as np

import carrot_router

HERE = Path(__file__).resolve().parent
QUERIES = ["What is 20 times 14, plus 967?", "Explain entropy in one sentence.", "Write a function that sorts.", "Why is the sky blue?"]
MU = 0.3


def module(name, **content):
    """A stand-in of a module, with the packages above it."""
    parts = name.split(".")
    for n in range(1, len(parts) + 1):
        sys.modules.setdefault(".".join(parts[:n]), types.ModuleType(".".join(parts[:n])))
    vars(sys.modules[name]).update(content)


class BaseRouter:
    """As RouterArena has it, but for where the config is."""

    folder = None

    def __init__(self, router_name):
        self.config = json.loads((self.folder / f"{router_name}.json").read_text())
        self.models = self.config["pipeline_params"]["models"]

    def get_prediction(self, query):
        model = self._get_prediction(query)
        assert model in self.models, model
        return model


class MetaRouter:
    """As LLMRouter has it, but that the file is JSON, which YAML holds, too."""

    def __init__(self, model, yaml_path):
        self.cfg = json.loads(Path(yaml_path).read_text())
        self.llm_data = self.cfg["llm_data"]


def load(path):
    found = {}
    exec(compile(path.read_text(), path, "exec"), found)  # noqa: S102
    return found["CarrotRouter"]


def main():
    if len(sys.argv) != 3:
        print(__doc__)
        return 2
    model, embedder = sys.argv[1:]
    module("router_inference.router.base_router", BaseRouter=BaseRouter)
    module("llmrouter.models.meta_router", MetaRouter=MetaRouter)
    module("torch.nn", Identity=object)
    router, embed = carrot_router.open(model), carrot_router.Embedder(embedder)
    names = list(router.models_)[::-1][:3]
    columns = [list(router.models_).index(name) for name in names]
    tokens = np.repeat(embed.count(QUERIES)[:, np.newaxis], len(router.models_), axis=1)
    scores, costs = router.predict_both(embed.embed(QUERIES), input_tokens=tokens)
    expected = [names[at] for at in carrot_router.choose(scores[:, columns], costs[:, columns], MU)]
    with tempfile.TemporaryDirectory() as folder:
        BaseRouter.folder = Path(folder)
        params = {"router_name": "carrot", "models": names, "carrot_model": model, "carrot_embedder": embedder, "carrot_mu": MU}
        (BaseRouter.folder / "carrot.json").write_text(json.dumps({"pipeline_params": params}))
        arena = load(HERE / "routerarena/carrot_routerarena.py")("carrot")
        by_arena = [arena.get_prediction(query) for query in QUERIES]
        path = Path(folder) / "config.yaml"
        path.write_text(json.dumps({"hparam": {"model": model, "embedder": embedder, "mu": MU}, "llm_data": {name: {} for name in names}}))
        meta = load(HERE / "llmrouter/carrot_llmrouter.py")(path)
        by_batch = [row["model_name"] for row in meta.route_batch([{"query": query} for query in QUERIES])]
        by_one = [meta.route_single({"query": query})["predicted_llm"] for query in QUERIES]
    for what, found in [("RouterArena", by_arena), ("LLMRouter, batch", by_batch), ("LLMRouter, one by one", by_one)]:
        if found != expected:
            print(f"check_python: {what}: {found}, expected {expected}", file=sys.stderr)
            return 1
    print(f"check_python: {len(QUERIES)} prompts go to the same LLMs in RouterArena and LLMRouter")
    return 0


sys.exit(main())
