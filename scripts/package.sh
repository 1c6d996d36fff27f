#!/usr/bin/env bash
# The programs as an archive for machines like this one.
set -euo pipefail

case ${1-} in
    -h | --help | '')
        cat <<'EOF'
usage: scripts/package.sh FOLDER

Builds all programs and writes FOLDER/carrot-VERSION-TARGET.tar.gz: the programs without symbols, their manual pages and completions for
bash, zsh and fish, an example log, and the licences. No libtorch: what needs it is built from source. CARGO_TARGET_DIR is honored.
EOF
        [ -n "${1-}" ] || exit 2
        exit 0
        ;;
esac

programs=(carrot-router train-and-infer plots verdict rate-study gen-custom gen-synthetic gen-routerbench gen-sprout gen-openllm gen-llmrouterbench gen-xroutebench)
mkdir -p "$1"
out=$(cd "$1" && pwd)
cd "$(dirname "$0")/.."
target=$(rustc -vV | sed -n 's/^host: //p')
version=$(sed -n 's/^version = "\(.*\)"$/\1/p' Cargo.toml | head -n 1)
name=carrot-$version-$target
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

packages=()
for program in "${programs[@]}"; do packages+=(-p "$program"); done
# The one profile, which is optimized; Cargo.toml says why there is no other.
cargo build --locked --bins "${packages[@]}"
built=${CARGO_TARGET_DIR:-target}/debug
mkdir -p "$folder/$name"/{bin,man,completions}
for program in "${programs[@]}"; do
    strip -o "$folder/$name/bin/$program" "$built/$program"
    "$built/$program" --man "$folder/$name/man"
    for shell in bash zsh fish; do
        "$built/$program" --completions "$shell" >"$folder/$name/completions/$program.$shell"
    done
done
cp -R README.md CHANGELOG.md CITATION.cff LICENSE-MIT LICENSE-APACHE .env.example configs examples "$folder/$name"
tar -C "$folder" -czf "$out/$name.tar.gz" "$name"
echo "package: wrote \`$out/$name.tar.gz\`"
