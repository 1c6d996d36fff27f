#!/usr/bin/env bash
# The quickstart as a new user has it: a fresh clone, nothing built, nothing downloaded.
set -euo pipefail

case ${1-} in
    '') ;;
    -h | --help)
        cat <<'EOF'
usage: scripts/long/new_user.sh

Clones the last commit into a temporary folder and runs scripts/quickstart.sh there with an empty cargo home, but for its configuration,
which may name a mirror. Prints the times and sizes that README.md and docs/install.md give: of the first run, of one when all is built, of
what was downloaded and of what lies on the disk. Needs a network; most of an hour on 2 cores.
EOF
        exit 0
        ;;
    *) echo "new_user: unknown argument \`$1\`; see --help" >&2; exit 2 ;;
esac

cd "$(dirname "$0")/../.."
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
git clone --quiet . "$root/carrot"
mkdir "$root/cargo"
for config in config.toml config; do
    [ ! -f "${CARGO_HOME:-$HOME/.cargo}/$config" ] || cp "${CARGO_HOME:-$HOME/.cargo}/$config" "$root/cargo"
done
export CARGO_HOME=$root/cargo
unset CARGO_TARGET_DIR CARROT_DATA_DIR CARROT_MODELS_DIR CARROT_PLOTS_DIR LIBTORCH LIBTORCH_USE_PYTORCH
cd "$root/carrot"

started=$SECONDS
scripts/quickstart.sh
first=$((SECONDS - started))
rm -rf data/synthetic models/synthetic plots
started=$SECONDS
scripts/quickstart.sh
again=$((SECONDS - started))

size() { du -sh "$1" | cut -f1; }
printf '\nnew_user: %d CPUs\n' "$(getconf _NPROCESSORS_ONLN)"
printf 'new_user: quickstart from nothing %d s, once built %d s\n' "$first" "$again"
printf 'new_user: crates downloaded %s, target %s, embedding model %s\n' \
    "$(size "$CARGO_HOME/registry/cache")" "$(size target)" "$(size models/all-MiniLM-L6-v2)"
