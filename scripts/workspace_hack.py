#!/usr/bin/env python3
"""Checks that crates/workspace-hack does its work: each dependency has the same features whether `cargo build -p <crate>` or
`cargo test --workspace` builds it, so that none is built twice. Exits 1, naming the dependencies, if some crate would build its own copy;
`cargo hakari generate` mends that (cargo install --locked cargo-hakari).

usage: scripts/workspace_hack.py
"""

import collections
import json
import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def host_triple():
    text = subprocess.run(["rustc", "-vV"], check=True, capture_output=True, text=True).stdout
    return re.search(r"^host: (.*)$", text, re.M)[1]


def units(*selection):
    """{(package id, is it built for the host's build scripts and macros): features}"""
    # The unit graph is an unstable output of cargo, which stable cargo gives only under this variable. Nothing is built.
    env = os.environ | {"__CARGO_TEST_CHANNEL_OVERRIDE_DO_NOT_USE_THIS": "nightly"}
    # With --target, dependencies of build scripts are units of their own, as in a build they are.
    command = ["cargo", "test", "--locked", "--unit-graph", "-Zunstable-options", "--target", host_triple(), *selection]
    graph = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=env, cwd=ROOT).stdout)
    found = collections.defaultdict(set)
    for unit in graph["units"]:
        if unit["mode"] in ("build", "test") and "custom-build" not in unit["target"]["kind"]:
            found[unit["pkg_id"], unit["platform"] is None].update(unit["features"])
    return found


def main():
    if set(sys.argv) & {"-h", "--help"}:
        print(__doc__.strip())
        return 0
    whole = units("--workspace")
    members = sorted(path.parent.name for path in ROOT.glob("crates/*/Cargo.toml"))
    n_differing = 0
    for member in members:
        for key, features in units("-p", member).items():
            if "path+file" not in key[0] and features != whole[key]:
                n_differing += 1
                name = key[0].rsplit("#", 1)[1]
                print(f"workspace-hack: {member} alone builds {name} without {sorted(whole[key] - features)}", file=sys.stderr)
    if n_differing:
        print("workspace-hack: run `cargo hakari generate` and commit what it writes", file=sys.stderr)
        return 1
    print(f"workspace-hack: each of {len(members)} crates builds the dependencies that all of them build together")
    return 0


sys.exit(main())
