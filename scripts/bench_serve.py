#!/usr/bin/env python3
"""What `carrot-router serve` adds to a request, on this machine's loopback; beside LiteLLM's proxy where it is asked for.

    scripts/bench_serve.py                    with the embedders that are under models/
    scripts/bench_serve.py --peers            installs litellm[proxy] into an environment of its own, too
    scripts/bench_serve.py --seconds 10       of each measurement [default: 5]

A program without any library loads the server, and is the upstream. Measured are, by turns with the same load straight on the upstream: a pool name
(no decision) on one connection, whose p50 less that of the upstream is what the server adds, and on 32 connections, by requests per second; `carrot`
with a KNN router at 62 tokens on one connection, with MiniLM and with static embeddings; and the plugin's question, `POST /v1/decision`. Load,
server and upstream share the processors.

Bars, on 2 cores: added p50 under 0.5 ms; 5,000 requests/s; `carrot` under 15 ms with MiniLM and under 1.5 ms with static embeddings at the p50. Ends with 1
if one is missed.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent / "long"))
from bench import ROOT, Bench, environment
from serving import OPENER, Serve, build_serve, free_port, router, venv

LITELLM = "litellm[proxy]==1.110.2"
EMBEDDERS = {"minilm": "all-MiniLM-L6-v2", "static": "static-all-MiniLM-L6-v2"}
N_TOKENS = 62
BARS = {"added p50, ms": 0.5, "carrot with minilm, p50 ms": 15.0, "carrot with static, p50 ms": 1.5}
MIN_PER_SECOND = 5000


def build_load():
    """The bench's program, built with the profile that `cargo run` uses."""
    features = os.environ.get("CARROT_FEATURES", "carrot-router/serve")
    command = ["cargo", "bench", "-p", "carrot-router", "--features", features, "--profile", "dev", "--bench", "load", "--no-run",
               "--message-format", "json"]  # fmt: skip
    lines = subprocess.run(command, check=True, cwd=ROOT, stdout=subprocess.PIPE, text=True).stdout.splitlines()
    artifacts = [message for message in map(json.loads, lines) if message["reason"] == "compiler-artifact"]
    return next(it["executable"] for it in artifacts if it["target"]["name"] == "load" and it["executable"])


class Load:
    def __init__(self, program, bench, seconds):
        self.program, self.folder, self.seconds = program, bench.folder, seconds
        self.upstream = subprocess.Popen([program, "upstream"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.address = self.upstream.stdout.readline().strip()

    def run(self, address, body, connections, path="/v1/chat/completions"):
        file = self.folder / "body.json"
        file.write_text(json.dumps(body))
        address = address.removeprefix("http://")
        command = [self.program, "load", address, path, file, str(connections), str(self.seconds)]
        found = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)
        if found["failed"]:
            sys.exit(f"bench_serve: {found['failed']} of the requests to {path} failed")
        return found

    def turns(self, places, body_of, connections, rounds=3):
        """Medians of p50 and of requests per second, the places by turns."""
        runs = {name: [] for name in places}
        for _ in range(rounds):
            for name, address in places.items():
                runs[name].append(self.run(address, body_of(name), connections))
        return {
            name: {key: statistics.median(run[key] for run in found) for key in ("p50_ms", "p99_ms", "per_second")} for name, found in runs.items()
        }

    def stop(self):
        self.upstream.stdin.close()
        self.upstream.wait()


def prompt():
    """About 62 tokens: a word of MiniLM's vocabulary is a token, and two are special."""
    words = "the price of an answer is what a router weighs against how good it will be for this question about".split()
    return " ".join(words[i % len(words)] for i in range(N_TOKENS - 2))


def body(model):
    return {"model": model, "messages": [{"role": "system", "content": "You are brief."}, {"role": "user", "content": prompt()}]}


def litellm_proxy(bench, upstream):
    """A running proxy of one deployment; its address and process."""
    python = venv("litellm-proxy", LITELLM)
    port = free_port()
    config = {"model_list": [{"model_name": "m", "litellm_params": {"model": "openai/m", "api_base": f"http://{upstream}/v1", "api_key": "none"}}]}
    (bench.folder / "litellm.yaml").write_text(json.dumps(config))
    log = open(bench.folder / "litellm.log", "w", encoding="utf-8")
    command = [Path(python).with_name("litellm"), "--config", "litellm.yaml", "--host", "127.0.0.1", "--port", str(port)]
    plain = environment(LITELLM_LOCAL_MODEL_COST_MAP="True", NO_PROXY="127.0.0.1", no_proxy="127.0.0.1", LITELLM_LOG="ERROR")
    process = subprocess.Popen(command, cwd=bench.folder, env=plain, stdout=log, stderr=log)
    address = f"http://127.0.0.1:{port}"
    for _ in range(240):
        try:
            OPENER.open(f"{address}/health/liveliness", timeout=1).read()
            return address, process
        except OSError:
            if process.poll() is not None:
                break
            subprocess.run(["sleep", "0.5"], check=True)
    process.kill()
    print("LiteLLM's proxy did not start:", (bench.folder / "litellm.log").read_text()[-500:])
    return None, process


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--peers", action="store_true")
    args = parser.parse_args()
    build_serve()
    bench = Bench()
    load = Load(build_load(), bench, args.seconds)
    measured = {}
    embedders = {name: ROOT / "models" / folder for name, folder in EMBEDDERS.items() if (ROOT / "models" / folder).is_dir()}
    names = {name: router(bench, embedder, name=name) for name, embedder in embedders.items()}
    if not names:
        sys.exit("bench_serve: there is no embedder under models/; scripts/minilm.sh installs one")
    for i, (name, llms) in enumerate(names.items()):
        serve = Serve(bench, llms, f"http://{load.address}", name=name)
        if i == 0:
            places = {"upstream": f"http://{load.address}", "serve": serve.address}
            proxy, process = litellm_proxy(bench, load.address) if args.peers else (None, None)
            if proxy:
                places["litellm"] = proxy
            for connections in (1, 32):
                found = load.turns(places, lambda place: body("m" if place == "litellm" else llms[0]), connections)
                for place, it in found.items():
                    print(f"{connections:2} connections, {place:8}: p50 {it['p50_ms']:.3f} ms, p99 {it['p99_ms']:.3f} ms, {it['per_second']:,.0f} requests/s")
                if connections == 1:
                    measured["added p50, ms"] = found["serve"]["p50_ms"] - found["upstream"]["p50_ms"]
                else:
                    measured["requests/s"] = found["serve"]["per_second"]
            if process:
                process.terminate()
                process.wait()
        carrot = load.run(serve.address, body("carrot"), 1)
        measured[f"carrot with {name}, p50 ms"] = carrot["p50_ms"]
        decision = load.run(serve.address, body("carrot"), 1, "/v1/decision")
        print(f"carrot with {name}: p50 {carrot['p50_ms']:.3f} ms, p99 {carrot['p99_ms']:.3f} ms; /v1/decision p50 {decision['p50_ms']:.3f} ms")
        serve.stop()
    load.stop()
    bench.remove()
    missed = [f"{name} is {measured[name]:.3f}, the bar is {bar}" for name, bar in BARS.items() if measured.get(name, 0) >= bar]
    if measured["requests/s"] < MIN_PER_SECOND:
        missed.append(f"{measured['requests/s']:.0f} requests/s, the bar is {MIN_PER_SECOND}")
    print(json.dumps({name: round(value, 3) for name, value in measured.items()}))
    for line in missed:
        print(f"bench_serve: {line}", file=sys.stderr)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
