"""CARROT decides for a LiteLLM router: a routing plugin that asks `carrot-router serve` which LLM should answer, and leaves the traffic to LiteLLM.

    Router(model_list=[...], plugins=[CarrotPlugin()])

The plugin narrows `context.candidate_models` to the LLM that `POST /v1/decision` chooses. A decision that does not come in time, or makes no sense,
changes nothing: LiteLLM then routes as it does without the plugin.
"""

import asyncio
import logging
import os
import time

import httpx

log = logging.getLogger("carrot")


class CarrotPlugin:
    """Asks for a decision on each request.

    url      where `carrot-router serve` listens; default: CARROT_URL, or http://127.0.0.1:8713
    key      its bearer key, if it wants one; default: CARROT_KEY
    model    `carrot`, or with a weight of cost or a calibration: `carrot:mu=0.3`, `carrot:half-price`
    names    what the router calls a candidate, where that is neither its name nor an end of it: {"azure/my-deployment": "gpt-4o"}
    timeout  seconds that a request waits for its decision
    pause    seconds without a question after one that was not answered: a server that is down costs one request the wait, and not all
    """

    def __init__(self, url=None, key=None, model="carrot", names=None, timeout=0.5, pause=1.0):
        self.url = (url or os.environ.get("CARROT_URL", "http://127.0.0.1:8713")).rstrip("/") + "/v1/decision"
        key = key or os.environ.get("CARROT_KEY")
        self.headers = {"authorization": f"Bearer {key}"} if key else {}
        self.model, self.names, self.timeout, self.pause = model, names or {}, timeout, pause
        self.asks_again_at = 0.0
        self.clients = {}

    async def run(self, context):
        """The context, with no other candidates than the chosen LLM."""
        candidates = {}
        for name in context.candidate_models:
            candidates.setdefault(self.names.get(name, name), []).append(name)
        if len(candidates) < 2 or time.monotonic() < self.asks_again_at:
            return context
        try:
            decision = await asyncio.wait_for(self.ask(context, list(candidates)), self.timeout)
            ranked = [decision["selected"]["model"], *map(name_of, decision.get("fallbacks", []))]
            chosen = next((kept for kept in (matching(candidates, name) for name in ranked) if kept), None)
        except Exception as error:  # whatever it is, the request goes on without a decision
            if not isinstance(error, httpx.HTTPStatusError):  # an answer, if no decision
                self.asks_again_at = time.monotonic() + self.pause
            log.warning("no decision, LiteLLM routes by itself: %s", type(error).__name__)
            context.signals["carrot"] = {"error": type(error).__name__}
            return context
        if chosen is None:
            log.warning("none of the candidates is an LLM of the router: %s", ", ".join(candidates))
            context.signals["carrot"] = {"error": "no candidate is known"}
            return context
        context.candidate_models = chosen
        context.signals["carrot"] = {key: decision.get(key) for key in ("id", "selected", "mu", "calibration", "truncated")}
        return context

    async def ask(self, context, candidates):
        # By the ends of names too, so that `openai/gpt-4o` is the router's `gpt-4o`; the router ignores names that it does not know.
        allowed = [end for name in candidates for end in ends(name)]
        request = {"model": self.model, "messages": context.structured_messages, "carrot": {"models": allowed}}
        answer = await self.client().post(self.url, json=request, headers=self.headers)
        answer.raise_for_status()
        return answer.json()

    def client(self):
        """One for each event loop: a connection belongs to the loop that has opened it."""
        loop = asyncio.get_running_loop()
        self.clients = {known: client for known, client in self.clients.items() if not known.is_closed()}
        if loop not in self.clients:
            # Without the environment's proxies, which would be asked for an address of this machine.
            self.clients[loop] = httpx.AsyncClient(timeout=self.timeout, trust_env=False)
        return self.clients[loop]


def name_of(fallback):
    """A fallback is a name, or an object with one."""
    return fallback["model"] if isinstance(fallback, dict) else fallback


def ends(name):
    """The name, and what follows each of its slashes."""
    parts = name.split("/")
    return ["/".join(parts[start:]) for start in range(len(parts))]


def matching(candidates, name):
    """The candidates that the router calls so: by the whole name, or else by an end of it."""
    return candidates.get(name) or [it for known, names in candidates.items() if name in ends(known) for it in names]


# What a LiteLLM proxy names in its configuration: `plugins: [carrot_litellm.plugin]`.
plugin = CarrotPlugin()
