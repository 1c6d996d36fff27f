#!/usr/bin/env python3
"""The LiteLLM plugin in integrations/litellm against a running `carrot-router serve`.

usage: scripts/long/litellm.py

Installs litellm 1.110.2 into an environment of its own, and sends 200 prompts through a LiteLLM router with the plugin and three deployments on one
scripted upstream. Each must go to the LLM that `carrot-router route --json` chooses. Then the server is stopped in its tracks, and then killed: all
requests must be answered as before, and of those to the stopped one only some may wait for a decision. Exits 1 otherwise.
"""

import json
import random
import signal
import subprocess
import sys
from collections import Counter

from bench import ROOT, Bench, environment
from serving import Serve, Upstream, build_serve, router, venv

LITELLM = "litellm==1.110.2"
N_PROMPTS = 200
MU = 0.3
# A request to a server that does not answer waits for the plugin's `timeout`, 0.5 s, once in each `pause`, 1 s: half of the time, and what the
# requests themselves take. Without the pause 200 of them would wait 100 s.
MAX_SECONDS = 30


def answer(path, request):
    """Says which LLM was asked for."""
    body = {
        "id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": request["model"],
        "choices": [{"index": 0, "message": {"role": "assistant", "content": request["model"]}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
    }  # fmt: skip
    return 200, {"content-type": "application/json"}, [json.dumps(body).encode()]


def made_up_prompts():
    words = "the of a router picks prompts by price and answers what is integral over all real numbers quickly 7 x^2 = 4.".split()
    chance = random.Random(1)
    return [" ".join(chance.choices(words, k=chance.randint(1, 60))) for _ in range(N_PROMPTS)]


def main():
    if {"-h", "--help"} & set(sys.argv):
        print(__doc__)
        return 0
    python = venv("litellm", LITELLM)
    build_serve()
    bench = Bench()
    names = router(bench)
    prompts = made_up_prompts()
    (bench.folder / "prompts.json").write_text(json.dumps(prompts))
    (bench.folder / "prompts.jsonl").write_text("".join(json.dumps({"prompt": prompt}) + "\n" for prompt in prompts))
    upstream = Upstream(answer)
    # Three of the LLMs; the server is asked to choose among them, and the expected choice is among them too.
    names = names[:3]
    serve = Serve(bench, names, upstream.address, mu=MU)
    lines = bench.succeed(
        "carrot-router", "route", "--model", "models/pool/carrot-knn", "--mu", str(MU), "--input", "prompts.jsonl", "--json", "-q"
    ).splitlines()
    expected = []
    for decision in map(json.loads, lines):
        candidates = [model for model in decision["models"] if model["name"] in names]
        expected.append(max(candidates, key=lambda model: model["utility"])["name"])
    command = [python, ROOT / "integrations/litellm/check.py", "prompts.json", upstream.address, serve.address, *names]
    plain = environment(LITELLM_LOCAL_MODEL_COST_MAP="True", NO_PROXY="127.0.0.1", no_proxy="127.0.0.1")
    child = subprocess.Popen(command, cwd=bench.folder, env=plain, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def send():
        child.stdin.write("\n")
        child.stdin.flush()
        line = child.stdout.readline()
        if not line:
            sys.exit("litellm: the requests failed")
        return json.loads(line)

    faults = []
    found = send()
    n_other = sum(a != b for a, b in zip(found["asked"], expected, strict=True))
    print(f"{N_PROMPTS} prompts in {found['seconds']:.1f} s: {dict(Counter(found['asked']))}; {n_other} went elsewhere than `route` says")
    if n_other or len(set(expected)) < 2:
        faults.append(f"{n_other} differ from `route`, which chooses {len(set(expected))} LLMs")
    for state, stop in (("stopped", lambda: serve.process.send_signal(signal.SIGSTOP)), ("killed", serve.kill)):
        stop()
        found = send()
        errors = Counter(said["error"] if said else "not asked" for said in found["said"])
        print(f"with the server {state}: {len(found['asked'])} answers in {found['seconds']:.1f} s, {dict(errors)}")
        if len(found["asked"]) != N_PROMPTS or found["seconds"] > MAX_SECONDS or not set(found["asked"]) <= set(names):
            faults.append(f"requests with the server {state}: {len(found['asked'])} answers in {found['seconds']:.1f} s")
    child.stdin.close()
    child.wait()
    upstream.stop()
    bench.remove()
    for fault in faults:
        print(f"litellm: {fault}", file=sys.stderr)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
