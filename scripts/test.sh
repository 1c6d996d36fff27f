#!/usr/bin/env bash
# The one test command: what CI runs, no more and no less.
set -euo pipefail

case ${1-} in
    '') ;;
    -h | --help)
        cat <<'EOF'
usage: scripts/test.sh

Checks and tests the whole workspace, stopping at the first failure, and tells the seconds of each step. Brings libtorch and
the local embedding model first, if they are missing (scripts/libtorch.sh, scripts/minilm.sh), and a headless Chromium
(scripts/chromium.sh), without which the test of the report fails here. CARGO_TARGET_DIR is honored.
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

# All test binaries' counts as one closing line.
tests() {
    CARROT_BROWSER=required cargo test --locked --workspace | tee "$log"
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

# Cheap ones first. A Cargo.lock that does not fit the manifests fails the second; the third would mend it in silence.
step format cargo fmt --all --check
step arrows scripts/arrows.sh --self-test
step 'workspace-hack' python3 scripts/workspace_hack.py --check

step libtorch scripts/libtorch.sh
step minilm scripts/minilm.sh
step chromium scripts/chromium.sh

# clippy and doc read the metadata of the dependencies, test their code: these two builds of each dependency, and no third one.
step clippy cargo clippy --locked --workspace --all-targets -- -D warnings
step test tests
step doc env RUSTDOCFLAGS=-Dwarnings cargo doc --locked --workspace --no-deps
