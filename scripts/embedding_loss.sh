#!/usr/bin/env bash
# What routing loses by other embeddings: the table of docs/speed.md.
set -euo pipefail

case ${1-} in
    -h | --help | '')
        cat <<'EOF'
usage: scripts/embedding_loss.sh DATASET [REPEATS] [OPTION...]

Cross-fits carrot-blend and carrot-knn on a data set's embeddings by MiniLM in float32, MiniLM in bfloat16 and static ones, five folds each, dealt
anew REPEATS times (default: 1), and compares them: gains over the best single LLM, how much of them is lost, equal choices. Minutes to half an
hour. In bfloat16 it wants a processor with AMX. Leaves the last cross-fits in the data set's folder.

  OPTION   goes to train-and-infer, such as --data-dir DIR and --models-dir DIR
EOF
        exit
        ;;
esac

cd "$(dirname "$0")/.."
dataset=$1
shift
repeats=1
if [[ ${1-} =~ ^[0-9]+$ ]]; then
    repeats=$1
    shift
fi
data_dir=${CARROT_DATA_DIR:-data}
for ((i = 1; i < $#; i++)); do
    if [ "${!i}" = --data-dir ]; then
        next=$((i + 1))
        data_dir=${!next}
    fi
done

kept=$(mktemp -d)
trap 'rm -rf "$kept"' EXIT
cross_fit() {
    local name=$1
    shift
    cargo run --quiet -p train-and-infer -- --dataset "$dataset" --routers carrot-blend carrot-knn --cross-fit 5 --repeats "$repeats" "$@"
    cp -r "$data_dir/$dataset/cross-fit" "$kept/$name"
}
cross_fit f32 --embedding minilm "$@"
cross_fit bf16 --embedding minilm --precision bf16 "$@"
cross_fit static --embedding static "$@"
for router in carrot-blend carrot-knn; do
    cargo run --quiet -p evaluation --example embedding_loss -- "$data_dir" "$dataset" "$router" "$kept/f32" "$kept/bf16" "$kept/static" |
        sed "s#$kept/##"
done
