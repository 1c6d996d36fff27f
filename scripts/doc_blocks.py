#!/usr/bin/env python3
"""Runs the commands that README.md and docs/ tell people to type.

usage: scripts/doc_blocks.py ci|long|network [FILE ...]
       scripts/doc_blocks.py --check | --self-test

Every block of shell commands says in its first line, "```sh TAG", who runs it:

  ci        scripts/test.sh: it takes seconds and needs neither network nor key
  long      scripts/test.sh --long: it takes minutes
  network   whoever asks for it: it downloads something
  manual    nobody: it needs what only a person has, such as a file, a key, a GPU or an installed service

The blocks of one file run in their order in one fresh copy of the repository, whose models/ has the local embedding model, and stop at the
first command that fails. `cargo run -p PROGRAM -- ...` there starts the program that is already built, in $CARGO_TARGET_DIR or target/, so
that nothing is compiled; programs can also be called by their names, as after `cargo install`.

  --check      only that blocks are tagged, that links and ARCHITECTURE.md lead somewhere, and that README.md is as short as it has to be
  --self-test  the same, after checking that what is wrong is found
"""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TAGS = {"ci": 600, "long": 4 * 3600, "network": 4 * 3600, "manual": 0}  # seconds that a block may take
MODEL = "all-MiniLM-L6-v2"
MAX_README_WORDS = 1400
MAX_README_COLUMNS = 100

FENCE = re.compile(r"^(`{3,})(.*)$")
# A file or folder, as ARCHITECTURE.md names it: from the root, or from crates/.
PLACE = re.compile(r"`([\w.-]+/[\w./-]*)`")
LINK = re.compile(r"\]\(([^)\s]+)\)")
# Programs read these, and nothing of this machine may decide what a block does.
FOREIGN = re.compile(r"^(CARROT_|HF_|OPENAI_|AZURE_|CARGO_TARGET_DIR$)")

# Stands before cargo on the path.
SHIM = r"""#!/usr/bin/env bash
[ "${1-}" = run ] || { echo "doc_blocks: only \`cargo run\` works here, not \`cargo ${1-}\`: tag the block \`manual\`" >&2; exit 1; }
shift
program=
while [ $# -gt 0 ]; do
    case $1 in
        -p | --package) program=$2; shift 2 ;;
        --features) shift 2 ;;
        -q | --quiet) shift ;;
        --) shift; break ;;
        *) echo "doc_blocks: \`cargo run\` with \`$1\` is not known here" >&2; exit 1 ;;
    esac
done
[ -x "$DOC_BLOCKS_PROGRAMS/$program" ] || { echo "doc_blocks: \`$program\` is not built: cargo build -p $program" >&2; exit 1; }
exec "$DOC_BLOCKS_PROGRAMS/$program" "$@"
"""


def blocks(text):
    """(line, words after the fence, commands) of each fenced block; an open one has no commands but None."""
    found, fence = [], None
    for number, line in enumerate(text.splitlines(), 1):
        mark = FENCE.match(line)
        if fence is None and mark:
            fence, body = mark[1], []
            found.append([number, mark[2].split(), None])
        elif fence is not None and mark and mark[1] == fence and not mark[2].strip():
            found[-1][2] = "\n".join(body)
            fence = None
        elif fence is not None:
            body.append(line)
    return found


def shell_blocks(path):
    """(line, tag, commands) of the blocks to be typed."""
    return [(line, words[1], commands) for line, words, commands in blocks(path.read_text()) if words[:1] == ["sh"]]


def anchors(text):
    """What a link may have after `#`: the headings, as GitHub and mdBook name them."""
    headings = re.findall(r"^#+ (.*)$", text, re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def documents(root):
    """What people read first, whose commands are checked."""
    return [root / "README.md", *sorted((root / "docs").rglob("*.md"))]


def listed(root):
    """The files that git would hand out, new ones among them: what a fresh clone has, whatever else lies here."""
    names = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=root, check=True, capture_output=True)
    return [name for name in names.stdout.decode().split("\0") if name and (root / name).is_file()]


def is_ignored(root, place):
    """Whether git ignores a path: then a program writes it."""
    return subprocess.run(["git", "check-ignore", "-q", place], cwd=root).returncode == 0


def faults(root):
    """One line for each document that is not as it has to be, whatever programs have written here."""
    files = listed(root)
    places = {root / name for name in files} | {folder for name in files for folder in (root / name).parents}
    for path in documents(root):
        name, text = path.relative_to(root), path.read_text()
        outside = text
        for line, words, commands in blocks(text):
            if commands is None:
                yield f"{name}:{line}: the block is not closed"
                continue
            outside = outside.replace(commands, "")
            if words[:1] == ["sh"] and (len(words) != 2 or words[1] not in TAGS):
                yield f"{name}:{line}: write one of {', '.join(TAGS)} after `sh`: who runs these commands?"
        for target in LINK.findall(outside):
            if re.match(r"[a-z]+:", target):
                continue
            file, _, anchor = target.partition("#")
            place = Path(os.path.normpath(path.parent / file)) if file else path
            if place not in places or (anchor and place.suffix == ".md" and anchor not in anchors(place.read_text())):
                yield f"{name}: `{target}` leads nowhere"
    architecture = root / "ARCHITECTURE.md"
    for place in PLACE.findall(architecture.read_text() if architecture.is_file() else ""):
        if not {root / place, root / "crates" / place} & places and not is_ignored(root, place):
            yield f"ARCHITECTURE.md: there is no `{place}`"
    readme = (root / "README.md").read_text()
    n_words = len(readme.split())
    if n_words > MAX_README_WORDS:
        yield f"README.md has {n_words} words, at most {MAX_README_WORDS}: what is not for everyone belongs into docs/"
    for number, line in enumerate(readme.splitlines(), 1):
        if len(line) > MAX_README_COLUMNS:
            yield f"README.md:{number}: {len(line)} columns, at most {MAX_README_COLUMNS}"


def clone(root, folder):
    """What git would hand out, and the embedding model."""
    for name in listed(root):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(root / name, folder / name)
    model = Path(os.environ.get("CARROT_MODELS_DIR", root / "models")) / MODEL
    if model.is_dir():
        shutil.copytree(model, folder / "models" / MODEL)


def run(root, programs, tag, paths, limit, say):
    """Runs the blocks of a tag, each for at most `limit` seconds; returns how many passed, and a text for each that failed."""
    n_passed, failed = 0, []
    for path in paths:
        wanted = [(line, commands) for line, block_tag, commands in shell_blocks(path) if block_tag == tag]
        if not wanted:
            continue
        name = path.relative_to(root)
        with tempfile.TemporaryDirectory() as temporary:
            folder, bin_folder = Path(temporary, "carrot"), Path(temporary, "bin")
            clone(root, folder)
            bin_folder.mkdir()
            (bin_folder / "cargo").write_text(SHIM)
            (bin_folder / "cargo").chmod(0o755)
            env = {key: value for key, value in os.environ.items() if not FOREIGN.match(key)}
            env |= {"PATH": f"{bin_folder}:{programs}:{env['PATH']}", "DOC_BLOCKS_PROGRAMS": str(programs)}
            if tag == "ci":
                env["HF_HUB_OFFLINE"] = "1"
            for line, commands in wanted:
                started = time.monotonic()
                with tempfile.TemporaryFile("w+") as log:
                    shell = subprocess.Popen(
                        ["bash", "-euo", "pipefail", "-c", commands],
                        cwd=folder, env=env, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
                    )
                    try:
                        code = shell.wait(limit)
                        why = None if code == 0 else f"exit code {code}"
                    except subprocess.TimeoutExpired:
                        why = f"not done after {limit} s"
                    # And what a block started in the background.
                    try:
                        os.killpg(shell.pid, signal.SIGKILL)
                    except ProcessLookupError:
                        pass
                    shell.wait()
                    say(f"{name}:{line}: {why or 'fine'}, {time.monotonic() - started:.1f} s")
                    if why is None:
                        n_passed += 1
                        continue
                    log.seek(0)
                    failed.append(f"{name}:{line}: {why}\n{commands}\n--- printed:\n{log.read()}")
                # Later blocks of the file build on this one.
                break
    return n_passed, failed


def self_test():
    """What is wrong must be found, and only that."""
    with tempfile.TemporaryDirectory() as temporary:
        root = Path(temporary, "repository")
        programs = Path(temporary, "programs")
        (root / "docs").mkdir(parents=True)
        programs.mkdir()
        (programs / "greet").write_text('#!/bin/sh\necho "hello $*"\n')
        (programs / "greet").chmod(0o755)
        subprocess.run(["git", "init", "-q", root], check=True)
        page, readme = root / "docs" / "page.md", root / "README.md"

        def outcome(*bodies, tag="ci", limit=60):
            readme.write_text("")
            page.write_text("".join(f"```sh {tag}\n{body}\n```\n" for body in bodies))
            n_passed, failed = run(root, programs, "ci", documents(root), limit, say=lambda _: None)
            return n_passed, len(failed)

        for expected, bodies in [
            ((1, 0), ["true # a comment"]),
            ((2, 0), ["echo kept > file", "grep kept file"]),
            ((1, 0), ["cargo run -p greet -- --name you | grep -- '--name you'"]),
            ((1, 0), ["greet there | grep there"]),
            ((1, 0), ['test -z "$(cat)"']),
            ((0, 1), ["exit 7"]),
            ((0, 1), ["false\ntrue"]),
            ((0, 1), ["false | true"]),
            ((0, 1), ['echo "$NOT_SET"']),
            ((1, 1), ["true", "false", "true"]),
            ((0, 1), ["cargo run -p missing"]),
            ((0, 1), ["cargo build"]),
            ((0, 1), ["test -e file"]),
        ]:
            found = outcome(*bodies)
            assert found == expected, f"{bodies}: {found}, expected {expected}"
        assert outcome("false", tag="long") == (0, 0)
        assert outcome("sleep 5", limit=0.1) == (0, 1)

        for text, expected in [
            ("```sh ci\ntrue\n```\n```text\n](nowhere.md)\n```\n[up](../README.md) [out](https://example.com)\n# What's X?\n[it](#whats-x)\n", 0),
            ("```sh\ntrue\n```\n", 1),
            ("```sh ci long\ntrue\n```\n", 1),
            ("```sh sometimes\ntrue\n```\n", 1),
            ("```sh ci\ntrue\n", 1),
            ("[gone](gone.md)\n", 1),
            ("# Here\n[there](#there)\n", 1),
            ("[there](../README.md#there)\n", 1),
        ]:
            readme.write_text("short\n")
            page.write_text(text)
            found = list(faults(root))
            assert len(found) == expected, f"{text!r}: {found}"
        page.write_text("")
        (root / "crates/greet").mkdir(parents=True)
        (root / "crates/greet/Cargo.toml").write_text("")
        (root / ".gitignore").write_text("/models\n")
        architecture = "`docs/page.md`, `greet/`, `docs/<name>.md`, `models/` and `gone/page.md`\n"
        (root / "ARCHITECTURE.md").write_text(architecture)
        for there in [False, True]:
            assert list(faults(root)) == ["ARCHITECTURE.md: there is no `gone/page.md`"], f"with models/: {there}"
            (root / "models").mkdir(exist_ok=True)
        (root / "models/card.md").write_text("")
        page.write_text("[only here](../models/card.md)\n")
        assert "leads nowhere" in "".join(faults(root))
        page.write_text("")
        (root / "ARCHITECTURE.md").write_text("")
        for text in ["word " * 20 * 71, "x" * 101]:
            readme.write_text(text)
            assert list(faults(root)), "README.md is too long"
    print("doc_blocks: what is wrong is found")


def main():
    arguments = sys.argv[1:]
    if not arguments or set(arguments) & {"-h", "--help"}:
        print(__doc__.strip())
        return 0 if arguments else 2
    mode, *files = arguments
    if mode == "--self-test":
        self_test()
    elif mode not in ("--check", "ci", "long", "network"):
        print(f"doc_blocks: unknown argument `{mode}`; see --help", file=sys.stderr)
        return 2
    found = list(faults(ROOT))
    for fault in found:
        print(f"doc_blocks: {fault}", file=sys.stderr)
    if found:
        return 1
    paths = [Path(file).resolve() for file in files] or documents(ROOT)
    if mode in TAGS:
        programs = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")).resolve() / "debug"
        n_passed, failed = run(ROOT, programs, mode, paths, TAGS[mode], say=lambda line: print(f"doc_blocks: {line}", flush=True))
        for failure in failed:
            print(f"\ndoc_blocks: {failure}", file=sys.stderr)
        print(f"doc_blocks: {n_passed} blocks passed, {len(failed)} failed")
        return 1 if failed or not n_passed else 0
    counts = {tag: 0 for tag in TAGS}
    for path in paths:
        for _, tag, _ in shell_blocks(path):
            counts[tag] += 1
    print(f"doc_blocks: {len(paths)} documents are fine; blocks: {', '.join(f'{n} {tag}' for tag, n in counts.items())}")
    return 0


sys.exit(main())
