#!/usr/bin/env bash
# The one test command: what CI runs, no more and no less. With --long, also what takes too long for CI.
set -euo pipefail

usage() {
    cat <<'EOF'
usage: scripts/test.sh [--long] [--skip NAME]...

Checks and tests the whole workspace, stopping at the first failure, and prints the seconds that each step took. Installs what
is missing first: libtorch and the local embedding model (scripts/libtorch.sh, scripts/minilm.sh), Postgres (scripts/postgres.sh), and a headless Chromium
(scripts/chromium.sh) for the test of the report. CARGO_TARGET_DIR is honored.

  --long       then the `long` commands of README.md and docs/, and every script in scripts/long/: hours, as root for some, with strace
               and the packages of requirements-bench.txt
  --skip NAME  leave out what this machine cannot run: `browser`, the report's test in Chromium; `docs`, the commands of the
               documentation; or a script of scripts/long/ by its file's name. What was left out is listed in the end, and never counts as
               passed

`cargo hakari verify` and `cargo deny check` run only where they are installed, since building them takes minutes:

    cargo install --locked cargo-hakari cargo-deny
EOF
}
bad_usage() { echo "test: $1; see --help" >&2; exit 2; }

cd "$(dirname "$0")/.."
is_long='' skips=' '
while [ $# -gt 0 ]; do
    case $1 in
        --long) is_long=yes ;;
        --skip)
            [ $# -gt 1 ] || bad_usage '`--skip` needs a name'
            shift
            case $1 in browser | docs) ;; *) [ -x "scripts/long/$1" ] || bad_usage "nothing is called \`$1\`" ;; esac
            skips+="$1 "
            ;;
        -h | --help) usage; exit 0 ;;
        *) bad_usage "unknown argument \`$1\`" ;;
    esac
    shift
done
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

# With libtorch, which `nets` needs in any case, with the server and with indexes, so that everything is tested in one build.
readonly features=carrot-router/torch,train-and-infer/torch,carrot-router/serve,carrot-router/index

# clippy and rustdoc, on what the build has made of the dependencies.
lint() { RUSTC_WORKSPACE_WRAPPER=$PWD/scripts/lint_crate.sh cargo build --locked --all-targets --keep-going "$@"; }

# All test binaries' counts as one closing line.
tests() {
    cargo test --locked --workspace --features "$features" | tee "$log"
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

# Whether a name was given with --skip, which is noted.
is_skipped() {
    case $skips in *" $1 "*) ;; *) return 1 ;; esac
    printf '\n== %s: skipped, as --skip says\n' "$1"
    table+=$(printf 'skipped   %s' "$1")$'\n'
}

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
step doc-blocks python3 scripts/doc_blocks.py --self-test
step book python3 scripts/book.py --self-test
step format cargo fmt --all --check
step arrows scripts/arrows.sh --self-test
step workspace-hack python3 scripts/workspace_hack.py
if_installed hakari verify
if_installed deny --offline check bans licenses sources

step libtorch scripts/libtorch.sh
step minilm scripts/minilm.sh
step postgres scripts/postgres.sh
if is_skipped browser; then
    # What the test itself reads: without it, no browser is a failure.
    export CARROT_BROWSER=skip
else
    step chromium scripts/chromium.sh
fi

step build cargo test --locked --workspace --features "$features" --no-run
step lint lint --workspace --features "$features"
# The programs as they are built by default. Of other crates nothing is new.
step default lint -p train-and-infer -p carrot-router
step test tests
# With the programs that the tests have built.
is_skipped docs || step docs python3 scripts/doc_blocks.py ci

if [ -n "$is_long" ]; then
    is_skipped docs || step docs-long python3 scripts/doc_blocks.py long
    for script in scripts/long/*.sh scripts/long/*.py; do
        # What scripts share is no script.
        [ ! -x "$script" ] || is_skipped "$(basename "$script")" || step "$(basename "$script")" "$script"
    done
fi
