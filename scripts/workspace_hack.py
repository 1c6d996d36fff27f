#!/usr/bin/env python3
"""Writes crates/workspace-hack/Cargo.toml: the union of features of every dependency that differs between `cargo build -p <crate>`
and `cargo test --workspace`. Run it after a change of dependencies, until it says that nothing changed.

    scripts/workspace_hack.py            rewrite the file
    scripts/workspace_hack.py --check    exit 1, naming the dependencies, if some crate would build its own copy
"""

import collections
import json
import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MANIFEST = ROOT / "crates/workspace-hack/Cargo.toml"
HEADER = """# Written by scripts/workspace_hack.py; see src/lib.rs for what this crate is for.
[package]
name = "workspace-hack"
version.workspace = true
edition.workspace = true
rust-version.workspace = true
license.workspace = true
publish.workspace = true

[lints]
workspace = true
"""


def host_triple():
    text = subprocess.run(["rustc", "-vV"], check=True, capture_output=True, text=True).stdout
    return re.search(r"^host: (.*)$", text, re.M)[1]


def units(*selection):
    """{(package id, is it built for the host's build scripts and macros): features}"""
    # The unit graph is an unstable output of cargo; it is read here only, never by a build.
    env = os.environ | {"__CARGO_TEST_CHANNEL_OVERRIDE_DO_NOT_USE_THIS": "nightly"}
    command = ["cargo", "test", "--unit-graph", "-Zunstable-options", "--target", host_triple(), *selection]
    graph = json.loads(subprocess.run(command, check=True, capture_output=True, text=True, env=env, cwd=ROOT).stdout)
    found = collections.defaultdict(set)
    for unit in graph["units"]:
        if unit["mode"] in ("build", "test") and "custom-build" not in unit["target"]["kind"]:
            found[unit["pkg_id"], unit["platform"] is None].update(unit["features"])
    return found


def name_and_version(package_id):
    folder, tail = package_id.rsplit("#", 1)
    name, version = tail.rsplit("@", 1) if "@" in tail else (folder.rsplit("/", 1)[1], tail)
    return name, version.split("+")[0]


def main():
    members = sorted(path.parent.name for path in ROOT.glob("crates/*/Cargo.toml"))
    whole = units("--workspace")
    wanted = set()
    for member in members:
        for key, features in units("-p", member).items():
            if "path+file" not in key[0] and features != whole[key]:
                wanted.add(key)
                if "--check" in sys.argv:
                    name, version = name_and_version(key[0])
                    print(f"{member} alone builds {name} {version} without {sorted(whole[key] - features)}")
    if "--check" in sys.argv:
        sys.exit(1 if wanted else 0)

    # What an earlier run asked for is still needed: it is why nothing differs now.
    old = MANIFEST.read_text() if MANIFEST.exists() else ""
    listed = {(m[1], m[2], section) for section, body in re.findall(r"\[(build-)?dependencies\]\n(.*?)(?=\n\[|\Z)", old, re.S)
              for m in re.finditer(r'^\S+ = \{ package = "(\S+)", version = "=?(\S+)"', body, re.M)}
    for key in whole:
        name, version = name_and_version(key[0])
        if (name, version, "build-" if key[1] else "") in listed:
            wanted.add(key)

    lines = {False: [], True: []}
    for key in sorted(wanted):
        name, version = name_and_version(key[0])
        alias = f"{name}-{version}".replace(".", "-")
        # `default` among the features is what `default-features` would ask for.
        features = json.dumps(sorted(whole[key]))
        lines[key[1]].append(f'{alias} = {{ package = "{name}", version = "{version}", default-features = false, features = {features} }}')
    text = HEADER
    for is_host, title in ((False, "dependencies"), (True, "build-dependencies")):
        text += f"\n[{title}]\n" + "".join(line + "\n" for line in lines[is_host])
    print("nothing changed" if text == old else f"wrote {MANIFEST.relative_to(ROOT)}: {len(wanted)} dependencies; run again")
    MANIFEST.write_text(text)


main()
