#!/usr/bin/env bash
# Whether a table routed by Spark is that of one process, though a worker is killed in the middle of it.
set -euo pipefail

case ${1-} in
    '') ;;
    -h | --help)
        cat <<'EOH'
usage: scripts/test_spark.sh

Starts a Spark with two workers on 127.0.0.1, routes 2,000 prompts on it by scripts/spark_map.py, 20 of them empty, and kills one worker with -9 in the
middle. Ends with 0 if the table is the same as that of one process. Then embeds some of the prompts likewise.

Needs a Java 17; installs what scripts/requirements-spark.txt pins (456 MB) into target/spark, or $CARROT_SPARK_VENV, once. Builds the programs, or takes
those in $CARROT_PROGRAMS. No part of scripts/test.sh: it takes minutes.
EOH
        exit 0
        ;;
    *) echo "test_spark: unknown argument \`$1\`; see --help" >&2; exit 2 ;;
esac

cd "$(dirname "$0")/.."
repository=$PWD
say() { echo "test_spark: $*" >&2; }
fail() { say "$*"; exit 1; }
command -v java >/dev/null || fail "needs a Java 17, such as Debian's openjdk-17-jre-headless"

target=${CARGO_TARGET_DIR:-$repository/target}
venv=${CARROT_SPARK_VENV:-$target/spark}
if [ ! -x "$venv/bin/spark-class" ]; then
    say "installing Spark into \`$venv\` (456 MB)"
    python3 -m venv "$venv"
    "$venv/bin/pip" install --quiet --disable-pip-version-check -r scripts/requirements-spark.txt
fi
if [ -z "${CARROT_PROGRAMS-}" ]; then
    cargo build --locked -p gen-custom -p train-and-infer -p carrot-router
    CARROT_PROGRAMS=$target/debug
fi
scripts/minilm.sh

work=$(mktemp -d)
started=()
stop() {
    local status=$?
    for id in "${started[@]}"; do kill -9 "$id" 2>/dev/null || true; done
    rm -rf "$work"
    exit "$status"
}
trap stop EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# A router on the example's log, and prompts to route.
mkdir "$work/models"
cp -R "${CARROT_MODELS_DIR:-$repository/models}/all-MiniLM-L6-v2" "$work/models"
cd "$work"
unset CARROT_DATA_DIR CARROT_MODELS_DIR CARROT_PLOTS_DIR
export HF_HUB_OFFLINE=1 PATH="$CARROT_PROGRAMS:$venv/bin:$PATH"
gen-custom --input "$repository/examples/logs.csv" --prices "$repository/examples/prices.toml" --name my-logs --quiet
train-and-infer --dataset my-logs --routers carrot-knn --embedding minilm --quiet
python3 - "$repository/examples/logs.csv" <<'PYTHON'
import csv, sys
import pyarrow as pa, pyarrow.parquet as pq

with open(sys.argv[1]) as file:
    texts = [row["prompt"] for row in csv.DictReader(file)]
ids = [f"p{i:04}" for i in range(2000)]
# Every hundredth is empty.
prompts = [None if i % 100 == 7 else f"{texts[i % len(texts)]} ({i})" for i in range(2000)]
table = pa.table({"id": ids, "prompt": prompts})
pq.write_table(table, "prompts.parquet")
pq.write_table(table.slice(0, 200), "some.parquet")
PYTHON
route=(carrot-router route --model "$work/models/my-logs/carrot-knn" --mu 0.3 --on-error row --quiet)
say "routing 2,000 prompts by one process"
"${route[@]}" --input prompts.parquet --output alone.parquet

# Two workers of one core.
home=$(python3 -c 'import os, pyspark; print(os.path.dirname(pyspark.__file__))')
export SPARK_HOME=$home SPARK_LOCAL_IP=127.0.0.1 PYSPARK_PYTHON=$venv/bin/python3 SPARK_WORKER_DIR=$work/workers
# A table's failed tasks count against it; a lost worker's do not.
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
"$home/bin/spark-class" org.apache.spark.deploy.master.Master --host 127.0.0.1 --port "$port" --webui-port 0 >master.log 2>&1 &
started+=($!)
for n in 1 2; do
    "$home/bin/spark-class" org.apache.spark.deploy.worker.Worker --host 127.0.0.1 --cores 1 --memory 1g --webui-port 0 \
        "spark://127.0.0.1:$port" >"worker-$n.log" 2>&1 &
    started+=($!)
done
victim=${started[1]}
for n in 1 2; do
    for _ in $(seq 120); do grep -q 'Successfully registered with master' "worker-$n.log" && break; sleep 0.5; done
    grep -q 'Successfully registered with master' "worker-$n.log" || fail "worker $n does not start: $(tail -5 "worker-$n.log")"
done

say "routing them by two workers, of which one is killed"
python3 "$repository/scripts/spark_map.py" --master "spark://127.0.0.1:$port" --partitions 16 --input prompts.parquet --output by-spark -- \
    "${route[@]}" --input '{input}' --output '{output}' >job.log 2>&1 &
job=$!
started+=("$job")
# Once some partitions are done and others are not.
for _ in $(seq 600); do
    kill -0 "$job" 2>/dev/null || fail "the job ended early: $(tail -20 job.log)"
    n_done=$({ find by-spark -name 'part-*.parquet' -path '*task_*' 2>/dev/null || true; } | wc -l)
    [ "$n_done" -ge 3 ] && break
    sleep 0.2
done
[ "$n_done" -ge 3 ] && [ "$n_done" -lt 14 ] || fail "$n_done of 16 partitions were done when the worker was to be killed"
# With what it had started: its executor, and what that runs.
descendants() { local child; for child in $(pgrep -P "$1"); do echo "$child"; descendants "$child"; done; }
killed=$(echo "$victim"; descendants "$victim")
kill -9 $killed
say "killed a worker after $n_done of 16 partitions"
wait "$job" || fail "the job failed: $(tail -20 job.log)"
grep -q -i 'lost executor\|worker lost\|Executor.* lost' job.log || fail "the job did not notice that a worker was gone"

say "embedding 200 prompts"
python3 "$repository/scripts/spark_map.py" --master "spark://127.0.0.1:$port" --partitions 3 --input some.parquet --output embedded -- \
    train-and-infer embed --input '{input}' --output '{output}' --on-error row --quiet --models-dir "$work/models" >embed.log 2>&1 ||
    fail "the job failed: $(tail -20 embed.log)"

python3 - <<'PYTHON'
import pyarrow.dataset as ds, pyarrow.parquet as pq

def rows(table):
    return table.sort_by("id").to_pylist()

alone, by_spark = pq.read_table("alone.parquet"), ds.dataset("by-spark", format="parquet").to_table()
assert alone.num_rows == by_spark.num_rows == 2000, (alone.num_rows, by_spark.num_rows)
assert sorted(alone.column_names) == sorted(by_spark.column_names), by_spark.schema
for a, b in zip(rows(alone), rows(by_spark)):
    assert a == b, (a, b)
n_errors = sum(row["routing_error"] is not None for row in by_spark.to_pylist())
assert n_errors == 20, n_errors
embedded = ds.dataset("embedded", format="parquet").to_table().to_pylist()
lengths = sorted({len(row["embedding"]) for row in embedded if row["embedding"] is not None})
assert len(embedded) == 200 and lengths == [384], (len(embedded), lengths)
assert sum(row["embedding"] is None for row in embedded) == 2
print("test_spark: the table is the same, row for row")
PYTHON
