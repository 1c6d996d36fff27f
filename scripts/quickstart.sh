#!/usr/bin/env bash
# From a fresh clone to the paper's figure, on synthetic prompts: no key, no account, no GPU.
set -euo pipefail

case ${1-} in
    -h | --help)
        cat <<'EOF'
usage: scripts/quickstart.sh [ARGUMENT...]

Creates the data set `synthetic`, fits CARROT's KNN router on local embeddings (token vectors distilled from all-MiniLM-L6-v2)
and draws its routing curve. Each command is printed before it runs, so that you can rerun it with other values. The arguments
go to gen-synthetic:

    scripts/quickstart.sh --n 20000

Installs the local embedding model first, if it is missing (scripts/minilm.sh).
EOF
        exit 0
        ;;
esac

cd "$(dirname "$0")/.."

# `%q` quotes an argument only where a shell would need it, so that the line can be pasted.
run() {
    printf '\n$'
    printf ' %q' "$@"
    printf '\n'
    "$@"
}

run scripts/minilm.sh
if [ $# -gt 0 ]; then
    run cargo run -p gen-synthetic -- "$@"
else
    run cargo run -p gen-synthetic
fi
run cargo run -p train-and-infer -- --dataset synthetic --routers carrot-knn --embedding static
run cargo run -p plots -- --dataset synthetic

plots=${CARROT_PLOTS_DIR:-plots}/synthetic
made=("$plots"/accuracy_cost.svg "$plots"/accuracy_cost.pdf "$plots"/accuracy_cost.png "$plots"/table.md)
for file in "${made[@]}"; do
    [ -s "$file" ] || { echo "quickstart: plots did not write \`$file\`" >&2; exit 1; }
done
printf '\n'
cat "$plots/table.md"
printf '\nCreated:\n'
printf '  %s\n' "${made[@]}"
