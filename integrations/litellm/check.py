"""Sends prompts through a LiteLLM router with the plugin; scripts/long/litellm.py runs it in an environment with LiteLLM.

usage: check.py PROMPTS UPSTREAM CARROT NAME...

PROMPTS is a file with a JSON list of texts, UPSTREAM an OpenAI-compatible address, CARROT where `carrot-router serve` listens, NAMEs the LLMs. For
each line on standard input all prompts are sent, and a line of JSON tells which LLM the upstream was asked for, and what the plugin said.
"""

import asyncio
import json
import sys
import time

from carrot_litellm import CarrotPlugin
from litellm import Router


async def ask(router, prompt):
    # Nothing but the prompt: the server counts the whole request's tokens, and what else is in it would be paid for too.
    answer = await router.acompletion(model="pool", messages=[{"role": "user", "content": prompt}])
    return answer.choices[0].message.content


async def main(prompts, upstream, carrot, names):
    said = []
    plugin = CarrotPlugin(url=carrot)

    class Listening(CarrotPlugin):
        async def run(self, context):
            context = await plugin.run(context)
            said.append(context.signals.get("carrot"))
            return context

    deployments = [
        {"model_name": "pool", "litellm_params": {"model": f"openai/{name}", "api_base": f"{upstream}/v1", "api_key": "none"}} for name in names
    ]
    router = Router(model_list=deployments, plugins=[Listening()], num_retries=0)
    loop = asyncio.get_running_loop()
    while await loop.run_in_executor(None, sys.stdin.readline):
        said.clear()
        start = time.perf_counter()
        asked = [await ask(router, prompt) for prompt in prompts]
        print(json.dumps({"asked": asked, "said": said, "seconds": time.perf_counter() - start}), flush=True)


if __name__ == "__main__":
    with open(sys.argv[1], encoding="utf-8") as file:
        asyncio.run(main(json.load(file), *sys.argv[2:4], sys.argv[4:]))
