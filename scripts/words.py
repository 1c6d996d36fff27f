#!/usr/bin/env python3
"""Checks what users read, and what tests rely on.

usage: scripts/words.py [--help] [FOLDER_OR_FILE ...]

Fails, naming each place, when
  - a phrase of scripts/words.txt is in a Markdown file, a configuration, a script, a --help text or a string literal;
  - an error of a library names a program's flag: which flag cures it, only the program knows;
  - a file under crates/ names a folder beside the repository: a test must bring its own inputs;
  - the description of a crate in its Cargo.toml is not what its line in crates/README.md says.

Without arguments the whole repository is checked.
"""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# What a test must not read. In two pieces, as this file would be found too.
OUTSIDE = "../" + "shared"
# These hold the phrases themselves.
EXEMPT = {"scripts/words.txt", "scripts/words.py"}

# One token of Rust that may hold text; what is none of these is code. A character literal is here so that '"' opens no string.
RUST = re.compile(
    r"""(?P<comment>//[^\n]*|/\*.*?\*/)
      | b?r(?P<hashes>\#*)"(?P<raw>.*?)"(?P=hashes)
      | b?"(?P<text>(?:[^"\\]|\\.)*)"
      | '(?:[^'\\\n]|\\[^\n]+?)'""",
    re.S | re.X,
)
FLAG = re.compile(r"(?<![\w-])--[a-z][a-z-]+")
CRATE_LINE = re.compile(r"^\| `([\w-]+)` \| (.*) \|$", re.M)
DESCRIPTION = re.compile(r'^description = "(.*)"$', re.M)
TEST_MODULE = re.compile(r"#\[cfg\(test\)\]\s*mod \w+ \{")


def phrases():
    pairs = (line.split(" = ", 1) for line in (ROOT / "scripts/words.txt").read_text().splitlines() if line and line[0] != "#")
    # Words may be apart by a line break and what begins the next line of a comment. "There is no file" is good English; "it is no file" is
    # the habit.
    return [(re.compile(r"(?<!\bthere )\b" + r"[\s#/>|]+".join(map(re.escape, bad.split())) + r"\b", re.I), bad, good) for bad, good in pairs]


def rust_texts(source, with_docs):
    """(offset, text) of the string literals and, for --help, of the documentation comments; comments in a row are one text."""
    docs = None
    for token in RUST.finditer(source):
        comment = token["comment"]
        if comment and with_docs and comment.startswith("///"):
            is_next = docs and not source[docs[1]:token.start()].strip()
            docs = (docs[0], token.end()) if is_next else (token.start(), token.end())
            if not re.match(r"\s*///", source[token.end():]):
                yield docs[0], source[docs[0]:docs[1]]
                docs = None
        elif comment is None:
            text = token["raw"] if token["raw"] is not None else token["text"]
            if text:
                # A backslash at the end of a line joins it to the next.
                yield token.start(), re.sub(r"\\\n\s*", "", text)


def is_library(path):
    """Whether what a file says must not know flags: it is of a crate without a command line, or holds a library's errors."""
    if path.parts[1] == "test-support":
        # It runs programs.
        return False
    crate = ROOT / Path(*path.parts[:2])
    has_command_line = re.search(r"^clap\b", (crate / "Cargo.toml").read_text(), re.M)
    return path.parts[2] == "src" and (not has_command_line or (path.name == "error.rs" and "cli" not in path.parts))


def findings(path, bad_phrases):
    """(line, message) of each breach in a file."""
    source = (ROOT / path).read_text()
    line = lambda offset: source.count("\n", 0, offset) + 1
    if path.suffix == ".rs":
        texts = list(rust_texts(source, with_docs=re.search(r"\bclap\b", source)))
    else:
        texts = [(0, source)]
    for offset, text in texts:
        for pattern, bad, good in bad_phrases:
            for found in pattern.finditer(text):
                # Within a string the offset of an escape may be off by some characters; the line is that of its beginning.
                at = offset + found.start() if path.suffix != ".rs" else offset
                yield line(at), f"`{bad}`: write {good}"
    if path.suffix == ".rs" and path.parts[0] == "crates" and is_library(path):
        tests = TEST_MODULE.search(source)
        for offset, text in texts:
            if not tests or offset < tests.start():
                for flag in FLAG.findall(text):
                    yield line(offset), f"a library's text names the flag `{flag}`: say what is needed, and let the program name its flag"
    if path.parts[0] == "crates":
        for found in re.finditer(re.escape(OUTSIDE), source):
            yield line(found.start()), f"`{OUTSIDE}` is outside the repository: let the test bring its inputs"


def crate_line(path):
    """(line, message) where a crate's Cargo.toml and crates/README.md describe it in different words."""
    if len(path.parts) != 3 or path.parts[0] != "crates" or path.name != "Cargo.toml":
        return
    described = DESCRIPTION.search((ROOT / path).read_text())
    line = dict(CRATE_LINE.findall((ROOT / "crates/README.md").read_text())).get(path.parts[1])
    if not described or described[1] != line:
        yield 1, f"`description` must be what crates/README.md says of the crate, which is {f'`{line}`' if line else 'missing there'}"


def main():
    if set(sys.argv) & {"-h", "--help"}:
        print(__doc__.strip())
        return 0
    wanted = [Path(argument).resolve().relative_to(ROOT) for argument in sys.argv[1:]]
    listed = subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard"], cwd=ROOT, check=True, capture_output=True, text=True)
    bad_phrases, n_found, n_files = phrases(), 0, 0
    for name in listed.stdout.splitlines():
        path = Path(name)
        if path.suffix not in (".md", ".rs", ".toml", ".sh", ".py", ".yml") or name in EXEMPT or not (ROOT / path).is_file():
            continue
        if wanted and not any(path.is_relative_to(folder) for folder in wanted):
            continue
        n_files += 1
        for at, message in [*findings(path, bad_phrases), *crate_line(path)]:
            print(f"words: {path}:{at}: {message}", file=sys.stderr)
            n_found += 1
    if n_found:
        print(f"words: {n_found} findings in {n_files} files", file=sys.stderr)
        return 1
    print(f"words: {n_files} files are fine")
    return 0


sys.exit(main())
