"""CARROT as a router of RouterArena: put this file into router_inference/router/, and the router's name and LLMs into router_inference/config/.

The config's `pipeline_params` say besides: `carrot_model`, a folder that train-and-infer wrote; `carrot_embedder`, the folder of what embedded its
prompts; `carrot_mu`, the weight of cost. LLMs have the names that the router knows them by, or `carrot_names` says which is which.
"""

import numpy as np

import carrot_router
from router_inference.router.base_router import BaseRouter


class CarrotRouter(BaseRouter):
    def __init__(self, router_name):
        super().__init__(router_name)
        params = self.config["pipeline_params"]
        self.router = carrot_router.open(params["carrot_model"])
        self.embedder = carrot_router.Embedder(params["carrot_embedder"])
        self.mu = params["carrot_mu"]
        names = params.get("carrot_names", {})
        known = list(self.router.models_)
        # Only LLMs that the config lists may be chosen; the others are as if nothing were known of them.
        self.columns = [known.index(names.get(model, model)) for model in self.models]

    def _get_prediction(self, query):
        X = self.embedder.embed([query])
        scores, costs = self.router.predict_both(X, input_tokens=np.full((1, len(self.router.models_)), self.embedder.count([query])[0]))
        chosen = carrot_router.choose(scores[:, self.columns], costs[:, self.columns], self.mu)
        return self.models[chosen[0]]
