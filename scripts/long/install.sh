#!/usr/bin/env bash
# The programs as `cargo install` puts them into a folder, used from another one.
set -euo pipefail

case ${1-} in
    '') ;;
    -h | --help)
        cat <<'EOF'
usage: scripts/long/install.sh

Installs carrot-router, train-and-infer and gen-custom with their default features into a temporary folder, as docs/install.md says, and
routes a prompt with them in a folder that has nothing but the example log and the embedding model. Builds everything anew unless
CARGO_TARGET_DIR names a folder, since `cargo install` does: an hour on 2 cores.
EOF
        exit 0
        ;;
    *) echo "install: unknown argument \`$1\`; see --help" >&2; exit 2 ;;
esac

cd "$(dirname "$0")/../.."
repository=$PWD
scripts/minilm.sh
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
for program in carrot-router train-and-infer gen-custom; do
    cargo install --path "crates/$program" --debug --locked --root "$root"
done

# Somewhere else, without the clone's settings and without its variables.
mkdir -p "$root/elsewhere/models"
cp -R "${CARROT_MODELS_DIR:-$repository/models}/all-MiniLM-L6-v2" "$root/elsewhere/models"
cp "$repository"/examples/{logs.csv,prices.toml} "$root/elsewhere"
cd "$root/elsewhere"
unset CARROT_DATA_DIR CARROT_MODELS_DIR CARROT_PLOTS_DIR
export PATH="$root/bin:$PATH" HF_HUB_OFFLINE=1
gen-custom --input logs.csv --prices prices.toml --name my-logs
train-and-infer --dataset my-logs
answer=$(carrot-router route 'What is 20 times 14?' --mu 0.3 --model models/my-logs/carrot-blend --json)
python3 -c '
import json, sys
answer = json.loads(sys.argv[1])
names = {llm["name"] for llm in answer["models"]}
assert names == {"finch-mini", "heron-code", "condor-max"} and answer["selected"] in names, answer
print("install: the installed programs fitted a router, which chose", answer["selected"])
' "$answer"
