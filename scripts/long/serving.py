"""What the scripts about `carrot-router serve` share: a router, a server, an upstream that says what it was asked, and Python environments."""

import json
import os
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from bench import BIN, ROOT, Bench

TINY = ROOT / "crates" / "encoder" / "tests" / "golden" / "tiny-bert"
# Of this machine only, whatever proxies are set.
OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))
PATIENCE = 60


def venv(name, *requirements):
    """The Python of an environment with these packages, which is kept beside the build."""
    folder = BIN.parent / "venvs" / name
    python = folder / "bin" / "python"
    done = folder / "requirements.txt"
    wanted = "\n".join(requirements)
    if not done.is_file() or done.read_text() != wanted:
        subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True)
        subprocess.run([python, "-m", "pip", "install", "-q", "--disable-pip-version-check", *requirements], check=True)
        done.write_text(wanted)
    return python


def router(bench, embedder=TINY, name="pool", n=600):
    """Fits carrot-knn on a synthetic table; the names of its LLMs."""
    bench.succeed("gen-synthetic", "-q", "--n", str(n), "--name", name)
    bench.succeed("train-and-infer", "-q", "--dataset", name, "--routers", "carrot-knn", "--embedding", str(embedder))
    info = json.loads((bench.folder / "data" / name / "dataset.json").read_text())
    return [model["name"] for model in info["models"]]


class Listener(ThreadingHTTPServer):
    daemon_threads = True
    # The library's 5 are too few for clients that ask all at once.
    request_queue_size = 128


class Upstream:
    """An OpenAI- and Anthropic-compatible server that keeps the bytes it got; `answer` makes (status, headers, pieces of the body) of a request."""

    def __init__(self, answer):
        upstream = self
        self.requests = []

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                upstream.requests.append((self.path, dict(self.headers), body))
                status, headers, pieces = answer(self.path, json.loads(body))
                self.send_response(status)
                for key, value in headers.items():
                    self.send_header(key, value)
                self.send_header("transfer-encoding", "chunked")
                self.end_headers()
                for piece in [*pieces, b""]:
                    self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
                    self.wfile.flush()

            def log_message(self, *_):
                pass

        self.server = Listener(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


def free_port():
    import socket

    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


class Serve:
    """A running `carrot-router serve` for a fitted router, whose LLMs are all behind one upstream."""

    def __init__(self, bench, names, upstream, mu=0.3, name="pool", formats=("chat", "responses", "messages"), more=""):
        self.port = free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        llms = "".join(f'[[llm]]\nname = "{llm}"\nupstream = "here"\ncan = ["images", "tools", "json-schema"]\n' for llm in names)
        config = bench.folder / f"serve-{self.port}.toml"
        config.write_text(
            f'listen = "127.0.0.1:{self.port}"\n'
            f'[router]\nmodel = "models/{name}/carrot-knn"\nmu = {mu}\ndefault-model = "{names[0]}"\n'
            f'{more}[[upstream]]\nname = "here"\nbase-url = "{upstream}/v1"\nformats = {json.dumps(list(formats))}\n{llms}'
        )
        self.log = open(bench.folder / f"serve-{self.port}.log", "w+", encoding="utf-8")
        self.process = bench.start("carrot-router", "serve", "--config", str(config), stdout=self.log, stderr=self.log)
        self.wait()

    def wait(self):
        for _ in range(PATIENCE * 20):
            if self.process.poll() is not None:
                self.log.seek(0)
                sys.exit(f"carrot-router serve ended with {self.process.returncode}: {self.log.read()}")
            try:
                OPENER.open(f"{self.address}/ready", timeout=1).read()
                return
            except (urllib.error.URLError, ConnectionError, TimeoutError):
                time.sleep(0.05)
        self.kill()
        sys.exit("carrot-router serve is not ready")

    def post(self, path, body, timeout=PATIENCE):
        """(status, headers, bytes)"""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        request = urllib.request.Request(self.address + path, data, {"content-type": "application/json"})
        try:
            with OPENER.open(request, timeout=timeout) as answer:
                return answer.status, dict(answer.headers), answer.read()
        except urllib.error.HTTPError as error:
            return error.code, dict(error.headers), error.read()

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        self.process.terminate()
        return self.process.wait(PATIENCE)


def build_serve():
    """Builds the programs, `carrot-router` with `serve`."""
    subprocess.run(
        ["cargo", "build", "--locked", "--bins", "-p", "gen-synthetic", "-p", "train-and-infer", "-p", "carrot-router", "--features",
         os.environ.get("CARROT_FEATURES", "carrot-router/serve")],
        check=True, cwd=ROOT,
    )  # fmt: skip


__all__ = ["Bench", "OPENER", "Serve", "TINY", "Upstream", "build_serve", "free_port", "router", "venv"]
