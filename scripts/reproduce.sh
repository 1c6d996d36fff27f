#!/usr/bin/env bash
# From nothing to a verdict: data sets, routers, figures, and every known number of CARROT against ours.
set -euo pipefail

all_datasets=(synthetic routerbench sprout sprout-o3mini open-llm-lb-v2)
# On train prompts of the synthetic data set, whose expectations give the regret; the last is all of them.
train_sizes=200,400,800,1600,3200

usage() {
    cat <<'END'
usage: scripts/reproduce.sh [--dataset NAME...] [--source NAME=PATH...] [--source-pickle PICKLE --questions PARQUET]
                            [--embedder openai] [--routers NAME...] [--roberta]

Creates data sets, fits routers, draws all figures, and writes plots/verdict.md and plots/verdict.json. Existing results are kept, so an
interrupted run resumes.

  --dataset        which: synthetic, routerbench, sprout, sprout-o3mini, open-llm-lb-v2 [default: all]
  --source         a file or folder to create a data set from, instead of the Hugging Face hub
  --source-pickle  CARROT's published matrix of the Open LLM Leaderboard, with --questions; creates both open-llm-lb-v2, its rows by document,
                   and open-llm-lb-v2-as-published. `cargo run -p gen-openllm -- --help` explains both files
  --embedder       openai: the paper's embeddings, from the endpoint of OPENAI_BASE_URL; costs money, and needs OPENAI_API_KEY. Without it,
                   embeddings are computed with a local model, and checks that need the paper's are skipped
  --routers        which [default: carrot-knn carrot-knn-sbert mf rorf, and with a GPU carrot-roberta roberta-binary]; none: no router
  --roberta        fit the RoBERTa routers without a GPU too, which takes days

A data set that is not available is not a failure: its claims are listed as not run, with the reason.

Exit codes: 0 all that was computed holds, 1 a claim or a step failed or nothing could be checked, 2 bad usage.
END
}

bad_usage() { echo "reproduce: $1; see --help" >&2; exit 2; }
say() { echo "reproduce: $*" >&2; }

contains() {
    local wanted=$1 word
    shift
    for word in "$@"; do [ "$word" != "$wanted" ] || return 0; done
    return 1
}

datasets=() sources=() routers=() pickle='' questions='' embedder='' roberta=''
while [ $# -gt 0 ]; do
    flag=$1
    shift
    values=()
    while [ $# -gt 0 ] && [ "${1#-}" = "$1" ]; do
        words=("$1")
        case $flag in
            # Names are separated by commas as well; a path may hold one.
            --dataset | --routers) IFS=, read -ra words <<<"$1" ;;
        esac
        values+=(${words[@]+"${words[@]}"})
        shift
    done
    n_values=${#values[@]}
    case $flag in
        --dataset | --source | --routers) [ "$n_values" -gt 0 ] || bad_usage "\`$flag\` needs a value" ;;
        --source-pickle | --questions | --embedder) [ "$n_values" -eq 1 ] || bad_usage "\`$flag\` needs one value" ;;
        -h | --help) usage; exit 0 ;;
        --roberta) [ "$n_values" -eq 0 ] || bad_usage "unknown argument \`${values[0]}\`" ;;
        *) bad_usage "unknown argument \`$flag\`" ;;
    esac
    case $flag in
        --dataset) datasets+=("${values[@]}") ;;
        --source) sources+=("${values[@]}") ;;
        --routers) routers+=("${values[@]}") ;;
        --source-pickle) pickle=${values[0]} ;;
        --questions) questions=${values[0]} ;;
        --embedder) embedder=${values[0]} ;;
        --roberta) roberta=yes ;;
    esac
done

[ ${#datasets[@]} -gt 0 ] || datasets=("${all_datasets[@]}")
for name in "${datasets[@]}"; do
    contains "$name" "${all_datasets[@]}" || bad_usage "\`$name\` is not one of ${all_datasets[*]}"
done
for source in ${sources[@]+"${sources[@]}"}; do
    name=${source%%=*} path=${source#*=}
    [ "$name" != "$source" ] || bad_usage "\`--source $source\` is not of the form NAME=PATH"
    [ "$name" != synthetic ] || bad_usage "\`synthetic\` is generated, so it has no source"
    contains "$name" "${datasets[@]}" || bad_usage "\`--source\` names \`$name\`, which is not among the data sets"
    [ -e "$path" ] || bad_usage "\`$path\`, the source of \`$name\`, does not exist"
done
if [ -n "$pickle$questions" ]; then
    { [ -n "$pickle" ] && [ -n "$questions" ]; } || bad_usage '`--source-pickle` and `--questions` go together'
    contains open-llm-lb-v2 "${datasets[@]}" || bad_usage '`--source-pickle` belongs to open-llm-lb-v2, which is not among the data sets'
    for path in "$pickle" "$questions"; do [ -f "$path" ] || bad_usage "\`$path\` is not a file"; done
fi
[ -z "$embedder" ] || [ "$embedder" = openai ] || bad_usage "\`--embedder $embedder\` is not openai"
if contains none ${routers[@]+"${routers[@]}"}; then
    [ ${#routers[@]} -eq 1 ] || bad_usage '`none` excludes other routers'
    routers=()
elif [ ${#routers[@]} -eq 0 ]; then
    routers=(carrot-knn carrot-knn-sbert mf rorf)
    if [ -n "$roberta" ] || nvidia-smi -L 2>/dev/null | grep -q '^GPU'; then
        routers+=(carrot-roberta roberta-binary)
    fi
fi

# Paths on the command line are relative to where it was typed.
here=$PWD
absolute() { case $1 in /*) echo "$1" ;; *) echo "$here/$1" ;; esac; }
cd "$(dirname "$0")/.."
data=${CARROT_DATA_DIR:-data}
made=() reasons=() failures=() log=$(mktemp)
trap 'rm -f "$log"' EXIT

# Prints a command as it can be pasted, and runs it.
run() {
    printf '\n$' >&2
    printf ' %q' "$@" >&2
    printf '\n' >&2
    "$@"
}

program() {
    local name=$1
    shift
    local with=()
    [ "$name" != train-and-infer ] || with=("${features[@]}")
    run cargo run --quiet -p "$name" "${with[@]}" -- "$@"
}

# Creates one data set; where that fails, remembers why.
make_dataset() {
    local name=$1
    shift
    if program "$@" 2> >(tee "$log" >&2); then
        made+=("$name")
    elif [ -f "$data/$name/dataset.json" ]; then
        failures+=("$1 of $name")
    else
        local error
        # The last line that is an error, without colors.
        error=$(sed -e 's/\x1b\[[0-9;]*m//g' "$log" | grep -i 'error' | tail -n 1 | sed -e 's/^ *ERROR *//' || true)
        reasons+=("$name=$1 could not create it: ${error:-see its output}")
        say "skipping $name"
    fi
}

source_of() {
    local source
    for source in ${sources[@]+"${sources[@]}"}; do
        [ "${source%%=*}" != "$1" ] || absolute "${source#*=}"
    done
}

# The generator's own arguments, on top of those of its source.
make_from_hub() {
    local name=$1 source
    shift
    source=$(source_of "$name")
    if [ -z "$source" ] && [ -f "$data/$name/dataset.json" ] && [ -z "$embedder" ]; then
        say "keeping the data set \`$name\`"
        made+=("$name")
    else
        make_dataset "$name" "$@" ${source:+--source "$source"} ${embedder:+--embedder "$embedder"}
    fi
}

# Only networks that are trained, or run on a GPU, need libtorch.
features=()
case " ${routers[*]} " in
    *roberta*)
        run scripts/libtorch.sh
        features=(--features torch)
        ;;
esac
run scripts/minilm.sh
names=()
for dataset in "${datasets[@]}"; do
    names+=("$dataset")
    case $dataset in
        synthetic)
            if [ -f "$data/synthetic/dataset.json" ]; then
                say 'keeping the data set `synthetic`'
                made+=(synthetic)
            else
                make_dataset synthetic gen-synthetic
            fi
            ;;
        routerbench) make_from_hub routerbench gen-routerbench ;;
        sprout) make_from_hub sprout gen-sprout ;;
        sprout-o3mini) make_from_hub sprout-o3mini gen-sprout --variant o3mini ;;
        open-llm-lb-v2)
            names+=(open-llm-lb-v2-as-published)
            if [ -n "$pickle" ]; then
                files=(--source-pickle "$(absolute "$pickle")" --questions "$(absolute "$questions")" ${embedder:+--embedder "$embedder"})
                make_dataset open-llm-lb-v2 gen-openllm "${files[@]}"
                make_dataset open-llm-lb-v2-as-published gen-openllm "${files[@]}" --as-published
            else
                make_from_hub open-llm-lb-v2 gen-openllm
                if [ -f "$data/open-llm-lb-v2-as-published/dataset.json" ]; then
                    made+=(open-llm-lb-v2-as-published)
                else
                    reasons+=('open-llm-lb-v2-as-published=it needs the published matrix, given by --source-pickle')
                fi
            fi
            ;;
    esac
done

drawn=()
for name in ${made[@]+"${made[@]}"}; do
    if [ ${#routers[@]} -gt 0 ]; then
        program train-and-infer --dataset "$name" --routers "${routers[@]}" || failures+=("train-and-infer on $name")
        drawn+=("$name")
    fi
    if [ "$name" = synthetic ] && [ ${#routers[@]} -gt 0 ]; then
        learners=()
        for router in "${routers[@]}"; do
            case $router in *roberta*) ;; *) learners+=("$router") ;; esac
        done
        [ ${#learners[@]} -eq 0 ] ||
            program train-and-infer --dataset synthetic --routers "${learners[@]}" --train-sizes "$train_sizes" ||
            failures+=('train-and-infer --train-sizes on synthetic')
    fi
done
[ ${#drawn[@]} -eq 0 ] || program plots --dataset "${drawn[@]}" || failures+=('plots')

arguments=(--dataset "${names[@]}")
for reason in ${reasons[@]+"${reasons[@]}"}; do arguments+=(--reason "$reason"); done
status=0
program verdict "${arguments[@]}" || status=$?
for failure in ${failures[@]+"${failures[@]}"}; do
    say "failed: $failure"
    status=1
done
[ "$status" -eq 0 ] || exit 1
