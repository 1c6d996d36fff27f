#!/usr/bin/env bash
# Proves which crate may use which: the tables below against what cargo resolves. ARCHITECTURE.md tells the reasons.
set -euo pipefail

case ${1-} in
    '' | --self-test) ;;
    -h | --help)
        cat <<'EOF'
usage: scripts/arrows.sh [--self-test]

Fails, naming each breach, when a crate of this workspace uses one that the tables in this file do not allow.
Tests and examples (dev-dependencies) may use anything; what a default feature or a build script brings in counts.

  --self-test   prove first that wrong tables are caught
EOF
        exit 0
        ;;
    *) echo "arrows: unknown argument \`$1\`; see --help" >&2; exit 2 ;;
esac

cd "$(dirname "$0")/.."
tree=$(mktemp)
trap 'rm -f "$tree"' EXIT
# Not `cargo metadata`, which counts what a feature names but no one turns on.
cargo tree --locked --workspace --target all --edges normal,build --prefix depth --format '|{p}' >"$tree"
python3 - "$tree" "$@" <<'PYTHON'
import collections, fnmatch, pathlib, sys

# Left may use right, and what right may use; anything else is refused.
ARROWS = """
    workspace-hack, cli-support, dataset -> (no crate)
    pickle, row-order, embeddings       -> (no crate)
    intrinsic-dimension                 -> (no crate)
    test-support                        -> dataset
    hub                                 -> (no crate)
    charts                              -> (no crate)
    routers, evaluation                 -> dataset
    datagen                             -> dataset, embeddings, cli-support
    gen-custom                          -> datagen
    gen-sprout                          -> datagen, hub
    gen-routerbench                     -> datagen, hub, pickle
    gen-openllm                         -> datagen, hub, pickle, row-order, evaluation
    gen-synthetic                       -> datagen, evaluation
    nets, saved-routers                 -> dataset, routers
    train-and-infer                     -> dataset, routers, nets, saved-routers, hub, cli-support
    carrot-router                       -> dataset, evaluation, nets, saved-routers, embeddings, hub, cli-support
    rate-study                          -> dataset, routers, cli-support
    plots                               -> dataset, evaluation, charts, intrinsic-dimension, cli-support
    verdict                             -> dataset, evaluation, cli-support
"""

# Left is linked, however deep, into no other crate than right.
REACHES = """
    tch, torch-sys                      -> nets, train-and-infer, carrot-router
    polars, polars-*                    -> gen-custom, gen-openllm
    plotters, svg2pdf, resvg            -> charts, plots
    tokio, reqwest, hyper, redb         -> embeddings, datagen, gen-custom, gen-openllm, gen-routerbench, gen-sprout, gen-synthetic, carrot-router
"""

# Left is named in the manifest of no other crate than right. Others may have it below them: polars has arrow of its own. gen-sprout
# reads single fields of struct columns, which polars cannot.
NAMED_BY = """
    arrow-*, parquet                    -> dataset, gen-sprout
    hf-hub, ureq                        -> hub
    indicatif                           -> cli-support
    clap, anyhow                        -> cli-support, datagen, (binaries)
    tracing-subscriber                  -> cli-support
"""

# Every crate uses it, and it uses none: it only makes the features of dependencies agree.
FREE = "workspace-hack"


def name(package_id):
    return package_id.split()[0]


def parse(table):
    """[(names left, names right)], `(no crate)` being no name."""
    rows = [row.split("->") for row in table.splitlines() if row.strip()]
    return [[[word.strip() for word in side.split(",") if word.strip() != "(no crate)"] for side in row] for row in rows]


class Graph:
    """What cargo resolved, without dev-dependencies."""

    def __init__(self, tree):
        self.edges, self.members, self.binaries, path = collections.defaultdict(set), {}, set(), []
        for line in filter(str.strip, tree):
            depth, package = line.split("|")
            # `name v1.2.3`, then the folder of one of ours, and marks that say nothing here.
            package_id = " ".join(package.split()[:2])
            del path[int(depth):]
            if path:
                self.edges[path[-1]].add(package_id)
            else:
                crate = package.split()[0]
                self.members[crate] = package_id
                if pathlib.Path("crates", crate, "src/main.rs").exists():
                    self.binaries.add(crate)
            path.append(package_id)
        self.everything = {name(package_id) for package_ids in self.edges.values() for package_id in package_ids}

    def named(self, crate):
        return {name(package_id) for package_id in self.edges[self.members[crate]]}

    def reached(self, crate):
        seen, queue = set(), [self.members[crate]]
        while queue:
            new = self.edges[queue.pop()] - seen
            seen |= new
            queue += new
        return {name(package_id) for package_id in seen}


def breaches(graph, arrows, reaches, named_by):
    """One line for each rule that is broken, and for each name in the tables that means nothing."""
    found = []
    rows = collections.Counter(crate for left, _ in arrows for crate in left)
    found += [f"`{crate}` has {rows[crate]} rows of arrows, expected 1" for crate in graph.members if rows[crate] != 1]
    known = set(graph.members) | {"(binaries)"}
    meant = set(rows) | {crate for _, right in arrows + reaches + named_by for crate in right}
    found += [f"`{crate}` in a table is no crate of this workspace" for crate in sorted(meant - known)]
    # A dependency that nobody may use need not be there.
    found += [f"`{pattern}` in a table is no dependency" for left, right in reaches + named_by if right
              for pattern in left if not fnmatch.filter(graph.everything, pattern)]
    if found:
        return found

    may = {crate: right for left, right in arrows for crate in left}

    def allowed(crate):
        return {crate, FREE}.union(*(allowed(right) for right in may[crate]))

    for crate in sorted(graph.members):
        for other in sorted((graph.reached(crate) & set(graph.members)) - allowed(crate)):
            found.append(f"`{crate}` must not use `{other}`")
    for rules, look, verb in ((reaches, graph.reached, "reach"), (named_by, graph.named, "name")):
        for left, right in rules:
            may_use = set(right) | (graph.binaries if "(binaries)" in right else set())
            for crate in sorted(set(graph.members) - may_use):
                found += [f"`{crate}` must not {verb} `{other}`" for pattern in left for other in fnmatch.filter(sorted(look(crate)), pattern)]
    return found


def self_test(graph, *tables):
    """Each change of one line that makes a table wrong must be caught."""
    n_caught = 0
    for i, table in enumerate(tables):
        for row in table.strip().splitlines():
            left, right = row.split("->")
            changes = [row.replace("->", "-> misspelt,")]
            if i == 0:
                changes += ["", f"{row}\n{row}"]
            if right.strip() != "(no crate)":
                changes.append(f"{left}-> (no crate)")
                if i > 0:
                    changes.append(f"misspelt, {row}")
            for change in changes:
                altered = [t.replace(row, change) if t is table else t for t in tables]
                if not breaches(graph, *map(parse, altered)):
                    sys.exit(f"arrows: nothing caught `{change}` in place of `{row.strip()}`")
                n_caught += 1
    print(f"arrows: {n_caught} wrong tables were caught")


with open(sys.argv[1]) as file:
    graph = Graph(file)
tables = ARROWS, REACHES, NAMED_BY
if "--self-test" in sys.argv:
    self_test(graph, *tables)
found = breaches(graph, *map(parse, tables))
for line in found:
    print(f"arrows: {line}", file=sys.stderr)
if found:
    sys.exit(1)
print(f"arrows: {len(graph.members)} crates keep to the tables")
PYTHON
