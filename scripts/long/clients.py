#!/usr/bin/env python3
"""The official clients of OpenAI and Anthropic, unchanged, through `carrot-router serve` to a scripted upstream.

usage: scripts/long/clients.py

Installs openai and anthropic, pinned, into an environment of their own. Each case, synchronous and asynchronous, plain, as a stream, with tools, raw,
and with an error, is run twice: straight to the upstream, and through the server. The upstream must get the same bytes but for `model`, and the
client must see the same; raw answers must be the same bytes. Exits 1 otherwise.
"""

import json
import re
import subprocess
import sys

from bench import Bench, environment
from serving import Serve, Upstream, build_serve, router, venv

CLIENTS = ("openai==3.57.0", "anthropic==2.14.0")

# Runs in the environment: the cases of one address, each as one line of JSON.
CASES = r'''
import asyncio, json, sys
import anthropic, openai

base, model = sys.argv[1:]
TOOLS = [{"type": "function", "function": {"name": "weather", "parameters": {"type": "object", "properties": {"city": {"type": "string"}}}}}]
USER = [{"role": "system", "content": "Sei kürzer \u2014 10.0 \U0001f600"}, {"role": "user", "content": "Wie ist das Wetter in Porto?"}]
options = dict(base_url=base + "/v1", api_key="sk-test", max_retries=0)
client, later = openai.OpenAI(**options), openai.AsyncOpenAI(**options)
claude = anthropic.Anthropic(base_url=base, api_key="sk-test", max_retries=0)
claude_later = anthropic.AsyncAnthropic(base_url=base, api_key="sk-test", max_retries=0)
chat = dict(model=model, messages=USER, temperature=0.1, seed=7)
message = dict(model=model, max_tokens=64, system=[{"type": "text", "text": "x", "cache_control": {"type": "ephemeral"}}],
               messages=[{"role": "user", "content": "Wie ist das Wetter?"}])

def tell(name, value):
    print(json.dumps([name, value], sort_keys=True), flush=True)

def dumped(it):
    return it.model_dump(mode="json")

def error_of(call):
    try:
        call()
    except (openai.APIStatusError, anthropic.APIStatusError) as error:
        return [type(error).__name__, error.status_code, error.body]
    except (openai.APIError, anthropic.APIError) as error:
        return [type(error).__name__, error.message]
    return "no error"

tell("chat", dumped(client.chat.completions.create(**chat)))
tell("chat tools", dumped(client.chat.completions.create(**chat, tools=TOOLS)))
tell("chat stream", [dumped(it) for it in client.chat.completions.create(**chat, stream=True)])
tell("chat stream usage", [dumped(it) for it in client.chat.completions.create(**chat, stream=True, stream_options={"include_usage": True})])
raw = client.chat.completions.with_raw_response.create(**chat)
tell("chat raw", [raw.status_code, raw.content.decode()])
with client.chat.completions.with_streaming_response.create(**chat, stream=True) as answer:
    tell("chat raw stream", [answer.status_code, b"".join(answer.iter_bytes()).decode()])
tell("chat extra", dumped(client.chat.completions.create(**chat, extra_body={"unknown": [1.0, 2e5, None]})))
tell("chat error", error_of(lambda: client.chat.completions.create(**chat, user="fail-400")))
tell("chat stream error", error_of(lambda: list(client.chat.completions.create(**chat, user="fail-late", stream=True))))
tell("responses", dumped(client.responses.create(model=model, input="Wie ist das Wetter?")))
raw = client.responses.with_raw_response.create(model=model, input="Wie ist das Wetter?")
tell("responses raw", [raw.status_code, raw.content.decode()])
tell("message", dumped(claude.messages.create(**message)))
tell("message stream", [dumped(it) for it in claude.messages.create(**message, stream=True)])
raw = claude.messages.with_raw_response.create(**message)
tell("message raw", [raw.status_code, raw.http_response.content.decode()])

async def asynchronous():
    tell("async chat", dumped(await later.chat.completions.create(**chat)))
    tell("async stream", [dumped(it) async for it in await later.chat.completions.create(**chat, stream=True)])
    many = await asyncio.gather(*(later.chat.completions.create(**chat) for _ in range(20)))
    tell("async at once", [dumped(it) for it in many])
    tell("async message", dumped(await claude_later.messages.create(**message)))
    tell("async message stream", [dumped(it) async for it in await claude_later.messages.create(**message, stream=True)])

asyncio.run(asynchronous())
'''


def event(value, name=None):
    head = f"event: {name}\n" if name else ""
    return f"{head}data: {value if isinstance(value, str) else json.dumps(value)}\n\n".encode()


def chunk(delta, **more):
    choice = {"index": 0, "delta": delta, "finish_reason": None} | more
    return {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "pinned-2026", "choices": [choice]}


def chat(request):
    if request.get("user") == "fail-400":
        error = {"error": {"message": "no such thing", "type": "invalid_request_error", "param": "user", "code": None}}
        return 400, {"content-type": "application/json"}, [json.dumps(error, indent=1).encode()]
    usage = {"prompt_tokens": 12, "completion_tokens": 3, "total_tokens": 15}
    if request.get("stream"):
        pieces = [b": keep alive\n\n", event(chunk({"role": "assistant", "content": ""})), event(chunk({"content": "Gut \u2014"}))]
        if request.get("user") == "fail-late":
            pieces.append(event({"error": {"message": "overloaded", "type": "server_error", "code": None}}))
            return 200, {"content-type": "text/event-stream"}, pieces
        pieces += [event(chunk({"content": " ja"})), event(chunk({}, finish_reason="stop"))]
        if request.get("stream_options", {}).get("include_usage"):
            pieces.append(event(chunk({}) | {"choices": [], "usage": usage}))
        # Events need not end where the pieces of a body do.
        whole = b"".join([*pieces, event("[DONE]")])
        return 200, {"content-type": "text/event-stream"}, [whole[i : i + 37] for i in range(0, len(whole), 37)]
    message = {"role": "assistant", "content": "Gut.", "reasoning_content": "hm"}
    if "tools" in request:
        call = {"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": '{"city": "Porto"}'}}
        message = {"role": "assistant", "content": None, "tool_calls": [call]}
    body = {
        "id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "pinned-2026",
        "choices": [{"index": 0, "message": message, "finish_reason": "stop", "logprobs": None}], "usage": usage, "unknown": 1.50,
    }  # fmt: skip
    return 200, {"content-type": "application/json"}, [json.dumps(body, indent=2).encode()]


def responses(_):
    body = {
        "id": "resp_1", "object": "response", "created_at": 1, "status": "completed", "model": "pinned-2026", "parallel_tool_calls": True,
        "tool_choice": "auto", "tools": [], "output": [{"id": "msg_1", "type": "message", "role": "assistant", "status": "completed",
        "content": [{"type": "output_text", "text": "Gut.", "annotations": []}]}], "error": None, "incomplete_details": None,
        "usage": {"input_tokens": 4, "input_tokens_details": {"cached_tokens": 0}, "output_tokens": 2,
        "output_tokens_details": {"reasoning_tokens": 0}, "total_tokens": 6},
    }  # fmt: skip
    return 200, {"content-type": "application/json"}, [json.dumps(body).encode()]


def messages(request):
    body = {
        "id": "msg_1", "type": "message", "role": "assistant", "model": "pinned-2026", "content": [{"type": "text", "text": "Gut."}],
        "stop_reason": "end_turn", "stop_sequence": None, "usage": {"input_tokens": 4, "output_tokens": 2},
    }  # fmt: skip
    if not request.get("stream"):
        return 200, {"content-type": "application/json"}, [json.dumps(body).encode()]
    events = [
        {"type": "message_start", "message": body | {"content": [], "stop_reason": None}},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        {"type": "ping"},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Gut."}},
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn", "stop_sequence": None}, "usage": {"output_tokens": 2}},
        {"type": "message_stop"},
    ]
    return 200, {"content-type": "text/event-stream"}, [event(it, it["type"]) for it in events]


def answer(path, request):
    return {"/v1/chat/completions": chat, "/v1/responses": responses, "/v1/messages": messages}[path](request)


def model_of(body):
    return json.loads(body)["model"]


def without_model(body):
    """The bytes with the value of the first `model` left out."""
    return re.sub(rb'("model"\s*:\s*)"[^"]*"', rb"\1", body, count=1)


def main():
    if {"-h", "--help"} & set(sys.argv):
        print(__doc__)
        return 0
    python = venv("clients", *CLIENTS)
    build_serve()
    bench = Bench()
    names = router(bench)
    upstream = Upstream(answer)
    serve = Serve(bench, names, upstream.address)
    plain = environment(NO_PROXY="127.0.0.1", no_proxy="127.0.0.1")

    def run(address, model):
        upstream.requests.clear()
        done = subprocess.run([python, "-c", CASES, address, model], cwd=bench.folder, env=plain, stdout=subprocess.PIPE, text=True)
        if done.returncode != 0:
            sys.exit(f"clients: the cases at {address} ended with {done.returncode}")
        seen = dict(map(json.loads, done.stdout.splitlines()))
        # Those that were asked at once come in any order; they are all alike.
        return seen, [(path, body) for path, _, body in upstream.requests]

    faults = []
    direct, expected = run(upstream.address, names[1])
    for model in (names[1], "carrot", "carrot:mu=0.9"):
        seen, got = run(serve.address, model)
        for name in direct:
            if seen.get(name) != direct[name]:
                faults.append(f"{model}, {name}: {seen.get(name)}, straight to the upstream {direct[name]}")
        if len(got) != len(expected):
            faults.append(f"{model}: {len(got)} requests arrived, expected {len(expected)}")
        for (path, body), (expected_path, expected_body) in zip(got, expected):
            if path != expected_path or without_model(body) != without_model(expected_body) or model_of(body) not in names:
                faults.append(f"{model}: {path} got {body}, expected {expected_body}")
        print(f"{model}: {len(seen)} cases, {len(got)} requests, to {sorted({model_of(body) for _, body in got})}")
    if serve.stop() != 0:
        faults.append("the server did not end with 0")
    upstream.stop()
    bench.remove()
    for fault in faults:
        print(f"clients: {fault}", file=sys.stderr)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
