#!/usr/bin/env bash
# The one test command: what CI runs, no more and no less. With --long, also what takes too long for CI.
set -euo pipefail

is_long=
case ${1-} in
    '') ;;
    --long) is_long=yes ;;
    -h | --help)
        cat <<'EOF'
usage: scripts/test.sh [--long]

Checks and tests the whole workspace, stopping at the first failure, and prints the seconds that each step took. Installs what
is missing first: libtorch and the local embedding model (scripts/libtorch.sh, scripts/minilm.sh), and a headless Chromium
(scripts/chromium.sh) for the test of the report. CARGO_TARGET_DIR is honored.

  --long   then every script in scripts/long/: hours, as root for some, with strace and the packages of requirements-bench.txt

`cargo hakari verify` and `cargo deny check` run only where they are installed, since building them takes minutes:

    cargo install --locked cargo-hakari cargo-deny
EOF
        exit 0
        ;;
    *) echo "test: unknown argument \`$1\`; see --help" >&2; exit 2 ;;
esac

cd "$(dirname "$0")/.."
current='' started=0 table='' counts='' log=$(mktemp)

step() {
    current=$1
    started=$SECONDS
    shift
    printf '\n== %s: %s\n' "$current" "$*"
    "$@"
    table+=$(printf '%6d s  %s' "$((SECONDS - started))" "$current")$'\n'
    current=
}

# With libtorch, which `nets` needs in any case, so that everything is tested in one build.
readonly torch=carrot-router/torch,train-and-infer/torch

# All test binaries' counts as one closing line.
tests() {
    cargo test --locked --workspace --features "$torch" | tee "$log"
    counts=$(awk '/^test result:/ { passed += $4; failed += $6 } END { printf "%d passed, %d failed", passed, failed }' "$log")
}

report() {
    local status=$?
    rm -f "$log"
    printf '\n%s%6d s  in all\n' "$table" "$SECONDS"
    [ -z "$counts" ] || printf '%s\n' "$counts"
    [ -z "$current" ] || printf 'FAILED in %s, after %d s\n' "$current" "$((SECONDS - started))"
    exit "$status"
}
trap report EXIT

# Runs a subcommand of cargo that not everyone has; CI has them all.
if_installed() {
    if command -v "cargo-$1" >/dev/null; then
        step "$1" cargo "$@"
    else
        printf '\n== %s: skipped, cargo-%s is not installed\n' "$1" "$1"
        table+=$(printf 'skipped   %s' "$1")$'\n'
    fi
}

# Cheap ones first. A Cargo.lock that does not match the manifests fails `arrows`.
step words python3 scripts/words.py
step format cargo fmt --all --check
step arrows scripts/arrows.sh --self-test
step workspace-hack python3 scripts/workspace_hack.py
if_installed hakari verify
if_installed deny --offline check bans licenses sources

step libtorch scripts/libtorch.sh
step minilm scripts/minilm.sh
step chromium scripts/chromium.sh

# clippy and doc read the metadata of the dependencies, test their code: these two builds of each dependency, and no third one.
step clippy cargo clippy --locked --workspace --all-targets --features "$torch" -- -D warnings
# The programs as they are built by default. Of other crates nothing is new.
step default cargo clippy --locked -p train-and-infer -p carrot-router --all-targets -- -D warnings
step test tests
step doc env RUSTDOCFLAGS=-Dwarnings cargo doc --locked --workspace --features "$torch" --no-deps

if [ -n "$is_long" ]; then
    for script in scripts/long/*.sh scripts/long/*.py; do
        # What scripts share is no script.
        [ ! -x "$script" ] || step "$(basename "$script")" "$script"
    done
fi
