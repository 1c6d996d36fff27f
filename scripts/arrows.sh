#!/usr/bin/env bash
# Checks which crate may use which: the table below against what cargo resolves. ARCHITECTURE.md gives the reasons, and deny.toml says who may
# use which library.
set -euo pipefail

case ${1-} in
    '' | --self-test) ;;
    -h | --help)
        cat <<'EOF'
usage: scripts/arrows.sh [--self-test]

Fails, naming each breach, when a crate of this workspace uses one that the table in this file does not allow, or when
train-and-infer or carrot-router needs libtorch, or a web server, without its feature for it. Tests and examples (dev-dependencies) may use anything;
what a default feature or a build script brings in counts.

  --self-test   check first that wrong tables are caught
EOF
        exit 0
        ;;
    *) echo "arrows: unknown argument \`$1\`; see --help" >&2; exit 2 ;;
esac

cd "$(dirname "$0")/.."
edges=normal,build
# Not `cargo metadata`, which counts what a feature names but no one turns on. Direct dependencies are enough: what a crate may use includes
# what those may use.
tree=$(cargo tree --locked --workspace --target all --edges "$edges" --depth 1 --no-dedupe --prefix depth --format '|{p}')
TREE=$tree python3 - "$@" <<'PYTHON'
import collections, os, sys

# Left may use right, and what right may use; anything else is refused.
ARROWS = """
    workspace-hack, atomic-files         -> (no crate)
    untrusted-files, secrets             -> (no crate)
    intrinsic-dimension, charts          -> (no crate)
    row-order                            -> (no crate)
    pickle, tables                       -> untrusted-files
    dataset                              -> atomic-files, tables, untrusted-files
    cli-support, embeddings              -> atomic-files, secrets, untrusted-files
    hub                                  -> secrets, untrusted-files
    decision-log                         -> atomic-files
    test-support                         -> dataset
    routers, evaluation                  -> dataset
    datagen                              -> dataset, embeddings, cli-support
    gen-custom                           -> datagen, decision-log, tables
    gen-sprout                           -> datagen, hub
    gen-llmrouterbench                   -> datagen, hub
    gen-xroutebench                      -> datagen, hub, tables
    gen-routerbench                      -> datagen, hub, pickle
    gen-openllm                          -> datagen, hub, pickle, row-order, evaluation, tables, untrusted-files
    gen-synthetic                        -> datagen, evaluation
    encoder                              -> dataset, untrusted-files
    static-embeddings                    -> dataset, encoder, intrinsic-dimension, untrusted-files
    nets                                 -> dataset, encoder
    saved-routers                        -> dataset, routers
    fitting                              -> dataset, evaluation, routers, saved-routers
    train-and-infer                      -> dataset, encoder, evaluation, fitting, nets, saved-routers, static-embeddings, hub, cli-support
    carrot-router                        -> dataset, decision-log, encoder, evaluation, fitting, nets, saved-routers, static-embeddings, embeddings, hub, cli-support, untrusted-files
    carrot-py                            -> dataset, encoder, evaluation, fitting, saved-routers, static-embeddings
    rate-study                           -> dataset, routers, cli-support
    plots                                -> dataset, evaluation, intrinsic-dimension, charts, cli-support
    verdict                              -> dataset, evaluation, cli-support
"""

# Every crate uses it, and it uses none: it only makes the features of dependencies agree.
FREE = "workspace-hack"


def parse(table):
    """[(names left, names right)], `(no crate)` being no name."""
    rows = [row.split("->") for row in table.splitlines() if row.strip()]
    return [[[word.strip() for word in side.split(",") if word.strip() != "(no crate)"] for side in row] for row in rows]


def used_by(tree):
    """{crate of this workspace: the crates of this workspace that it names}"""
    named, crate = {}, None
    for line in filter(str.strip, tree.splitlines()):
        depth, package = line.split("|")
        if depth == "0":
            crate = package.split()[0]
            named[crate] = set()
        else:
            named[crate].add(package.split()[0])
    return {crate: names & set(named) for crate, names in named.items()}


def breaches(uses, arrows):
    """One line for each rule that is broken, and for each name in the table that means nothing."""
    rows = collections.Counter(crate for left, _ in arrows for crate in left)
    found = [f"`{crate}` has {rows[crate]} rows, expected 1" for crate in sorted(uses) if rows[crate] != 1]
    in_table = set(rows) | {crate for _, right in arrows for crate in right}
    found += [f"`{crate}` in the table is not a crate of this workspace" for crate in sorted(in_table - set(uses))]
    if found:
        return found
    may = {crate: right for left, right in arrows for crate in left}

    def allowed(crate):
        return {crate, FREE}.union(*(allowed(right) for right in may[crate]))

    return [f"`{crate}` must not use `{other}`" for crate in sorted(uses) for other in sorted(uses[crate] - allowed(crate))]


def self_test(uses):
    """Each change of one row that makes the table wrong must be caught."""
    n_caught = 0
    for row in ARROWS.strip().splitlines():
        left, right = row.split("->")
        changes = ["", f"{row}\n{row}", f"{left}-> misspelt, {right}"]
        if right.strip() != "(no crate)":
            changes.append(f"{left}-> (no crate)")
        for change in changes:
            if not breaches(uses, parse(ARROWS.replace(row, change))):
                sys.exit(f"arrows: nothing caught `{change}` in place of `{row.strip()}`")
            n_caught += 1
    print(f"arrows: {n_caught} wrong tables were caught")


uses = used_by(os.environ["TREE"])
if "--self-test" in sys.argv:
    self_test(uses)
found = breaches(uses, parse(ARROWS))
for line in found:
    print(f"arrows: {line}", file=sys.stderr)
if found:
    sys.exit(1)
print(f"arrows: {len(uses)} crates keep to the table")
PYTHON

# deny.toml cannot say this: it looks at all features at once.
for program in train-and-infer carrot-router; do
    without=$(cargo tree --locked --package "$program" --target all --edges "$edges" --prefix none)
    for crate in tch torch-sys nets; do
        if grep -q "^$crate v" <<<"$without"; then
            echo "arrows: \`$program\` must not reach \`$crate\` without its feature \`torch\`" >&2
            exit 1
        fi
    done
    for crate in axum prometheus-client; do
        if grep -q "^$crate v" <<<"$without"; then
            echo "arrows: \`$program\` must not reach \`$crate\` without its feature \`serve\`" >&2
            exit 1
        fi
    done
done
