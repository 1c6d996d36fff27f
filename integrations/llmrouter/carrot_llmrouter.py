"""CARROT as a custom router of LLMRouter: put this file as router.py into custom_routers/carrotrouter/.

The YAML's `hparam` has `model`, a folder that train-and-infer wrote; `embedder`, the folder of what embedded its prompts; `mu`, the weight of cost. The
keys of `llm_data` are the names that the router knows its LLMs by.
"""

import numpy as np
import torch.nn as nn

import carrot_router
from llmrouter.models.meta_router import MetaRouter


class CarrotRouter(MetaRouter):
    def __init__(self, yaml_path):
        super().__init__(model=nn.Identity(), yaml_path=yaml_path)
        hparam = self.cfg["hparam"]
        self.router = carrot_router.open(hparam["model"])
        self.embedder = carrot_router.Embedder(hparam["embedder"])
        self.mu = hparam["mu"]
        self.names = list(self.llm_data)
        self.columns = [list(self.router.models_).index(name) for name in self.names]

    def route_batch(self, batch):
        queries = [row["query"] for row in batch]
        tokens = np.repeat(self.embedder.count(queries)[:, np.newaxis], len(self.router.models_), axis=1)
        scores, costs = self.router.predict_both(self.embedder.embed(queries), input_tokens=tokens)
        chosen = carrot_router.choose(scores[:, self.columns], costs[:, self.columns], self.mu)
        return [{**row, "model_name": self.names[at], "predicted_llm": self.names[at]} for row, at in zip(batch, chosen)]

    def route_single(self, batch):
        return self.route_batch([batch])[0]
