"""What the scripts here share: built programs, folders to run them in, and what is in such a folder."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
BIN = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "debug"
EMBEDDER = "all-MiniLM-L6-v2"
# What differs from run to run in a manifest.
TIMES = ("stages", "timings", "peak-memory-bytes", "environment")


def build(*packages):
    """Builds programs, which `program` finds."""
    names = [word for package in packages for word in ("-p", package)]
    subprocess.run(["cargo", "build", "--locked", "--bins", *names], check=True, cwd=ROOT)


def environment(**more):
    """Without the user's settings and without the hub."""
    prefixes = ("CARROT_", "HF_", "OPENAI_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(prefixes)}
    return kept | {"HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1", "RAYON_NUM_THREADS": "2"} | more


class Bench:
    """A folder with the local embedding model, in which programs run."""

    def __init__(self, copied_from=None):
        self.holder = tempfile.TemporaryDirectory(prefix="carrot-long-")
        self.folder = Path(self.holder.name).resolve()
        if copied_from:
            subprocess.run(["cp", "-a", f"{copied_from.folder}/.", self.folder], check=True)
        else:
            (self.folder / "models").mkdir()
            (self.folder / "models" / EMBEDDER).symlink_to(ROOT / "models" / EMBEDDER)

    def remove(self):
        shutil.rmtree(self.folder, ignore_errors=True)

    def start(self, program, *args, before=(), **options):
        command = [*before, BIN / program, *args]
        streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        return subprocess.Popen(command, cwd=self.folder, env=environment(), **(streams | options))

    def run(self, program, *args, **options):
        """(exit code, standard output, standard error)"""
        process = self.start(program, *args, **options)
        output, errors = process.communicate()
        return process.returncode, output, errors

    def succeed(self, program, *args):
        code, output, errors = self.run(program, *args)
        if code != 0:
            sys.exit(f"{program} {' '.join(args)}: exit code {code}\n{errors}")
        return output

    def files(self):
        """Every file that a run made, by its path in the folder."""
        found = (path for path in self.folder.rglob("*") if path.is_file())
        return {str(path.relative_to(self.folder)): path for path in found if EMBEDDER not in path.parts}

    def hidden(self):
        """What killed runs left."""
        below = (path.relative_to(self.folder) for path in self.folder.rglob(".*"))
        return sorted(str(path) for path in below if EMBEDDER not in path.parts)

    def hashes(self):
        return {name: sha256(path) for name, path in self.files().items() if "/." not in name}


def sha256(path):
    """Of a file's bytes, and of a manifest without its times."""
    content = path.read_bytes()
    if path.suffix == ".json" and path.parent.name in ("preds", "learning-curve"):
        manifest = json.loads(content)
        content = json.dumps({key: value for key, value in manifest.items() if key not in TIMES}).encode()
    return hashlib.sha256(content).hexdigest()
