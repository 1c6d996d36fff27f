#!/usr/bin/env bash
# The programs as they are built by default: they load no libtorch, and carrot-router is small enough to be copied around.
set -euo pipefail

case ${1-} in
    '') ;;
    -h | --help)
        cat <<'EOF'
usage: scripts/long/without_torch.sh

Builds carrot-router and train-and-infer with their default features and fails when one of them loads libtorch, or when
carrot-router has 40 MB or more without its symbols. Linux only.
EOF
        exit 0
        ;;
    *) echo "without_torch: unknown argument \`$1\`; see --help" >&2; exit 2 ;;
esac

readonly max_bytes=40000000
cd "$(dirname "$0")/../.."
cargo build --locked -p carrot-router -p train-and-infer
built=${CARGO_TARGET_DIR:-target}/debug
for program in carrot-router train-and-infer; do
    libraries=$(ldd "$built/$program")
    if grep -q torch <<<"$libraries"; then
        printf 'without_torch: `%s` loads libtorch:\n%s\n' "$program" "$libraries" >&2
        exit 1
    fi
done
stripped=$(mktemp)
trap 'rm -f "$stripped"' EXIT
strip -o "$stripped" "$built/carrot-router"
n_bytes=$(stat -c %s "$stripped")
if [ "$n_bytes" -ge "$max_bytes" ]; then
    echo "without_torch: carrot-router has $n_bytes bytes without symbols, expected fewer than $max_bytes" >&2
    exit 1
fi
echo "without_torch: no libtorch; carrot-router has $n_bytes bytes without symbols"
