#!/usr/bin/env python3
"""A program of this workspace on every partition of a table, by Apache Spark: for what one machine would take days over.

    pip install -r scripts/requirements-spark.txt      and a Java 17
    scripts/spark_map.py --input IN --output OUT [--partitions N] [--master URL] -- PROGRAM ARGUMENTS...

IN is what Spark reads as Parquet (a file, a folder, s3a://...), OUT a folder that must not exist. PROGRAM is run once for each partition, on the worker
that has it; among its arguments {input} and {output} stand for Parquet files of the partition's rows. It must be on every worker, and so must the models that
it names. Two that work:

    ... -- carrot-router route --model models/my-logs/carrot-blend --mu 0.3 --input {input} --output {output} --on-error row
    ... -- train-and-infer embed --input {input} --output {output} --on-error row

A worker that is lost is no matter: Spark gives its partitions to others, and the table is the same. A partition for which the program fails is tried four times,
as Spark has it, and then ends the job with what the program said; `--on-error row` is for rows without a prompt, which would otherwise be such a failure.
Columns and types of the result are those that the program gives one row.
"""

import argparse
import itertools
import os
import subprocess
import sys
import tempfile

import pyarrow as pa
import pyarrow.parquet as pq
from pyspark.sql import SparkSession

# Of what a program said, so many characters are worth reading in Spark's log.
TAIL = 2000


def run(command, batches, schema):
    """The program's table for some rows; None for none."""
    with tempfile.TemporaryDirectory(prefix="spark-map-") as folder:
        source, target = os.path.join(folder, "input.parquet"), os.path.join(folder, "output.parquet")
        n_rows = 0
        with pq.ParquetWriter(source, schema) as writer:
            for batch in batches:
                n_rows += batch.num_rows
                writer.write_batch(batch)
        if n_rows == 0:
            return None
        filled = [part.replace("{input}", source).replace("{output}", target) for part in command]
        done = subprocess.run(filled, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        if done.returncode != 0:
            raise RuntimeError(f"`{filled[0]}` ended with {done.returncode}: {done.stderr[-TAIL:]}")
        return pq.read_table(target)


def plain(schema):
    """Types that Spark gives and takes: it has no views, no dictionaries and no large strings of its own."""
    names = {pa.large_string(): pa.string(), pa.string_view(): pa.string(), pa.large_binary(): pa.binary()}

    def of(kind):
        if pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind):
            return pa.list_(of(kind.value_type))
        if pa.types.is_struct(kind):
            return pa.struct([pa.field(field.name, of(field.type)) for field in kind])
        return names.get(kind, kind)

    return pa.schema([pa.field(field.name, of(field.type)) for field in schema])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--input", required=True)
    parser.add_argument("--output", required=True)
    parser.add_argument("--partitions", type=int, help="default: as Spark reads the input")
    parser.add_argument("--master", help="spark://HOST:PORT; default: what spark-submit or the settings say, else this machine")
    parser.add_argument("command", nargs=argparse.REMAINDER, metavar="-- PROGRAM ...")
    args = parser.parse_args()
    command = args.command[1:] if args.command[:1] == ["--"] else args.command
    if not any("{input}" in part for part in command) or not any("{output}" in part for part in command):
        parser.error("the program's arguments need {input} and {output}")

    builder = SparkSession.builder.appName("carrot")
    if args.master:
        builder = builder.master(args.master)
    spark = builder.getOrCreate()
    rows = spark.read.parquet(args.input)
    first = rows.limit(1).toArrow()
    if first.num_rows == 0:
        sys.exit(f"spark_map: `{args.input}` has no rows")
    # Once on the driver: a wrong command fails here, and not on every worker.
    schema = plain(run(command, first.to_batches(), first.schema).schema)
    if args.partitions:
        rows = rows.repartition(args.partitions)

    def of_partition(batches):
        batches = iter(batches)
        head = next(batches, None)
        if head is None:
            return
        table = run(command, itertools.chain([head], batches), head.schema)
        if table is not None:
            yield from table.cast(schema).to_batches()

    from pyspark.sql.pandas.types import from_arrow_schema

    mapped = rows.mapInArrow(of_partition, from_arrow_schema(schema))
    mapped.write.mode("errorifexists").parquet(args.output)
    spark.stop()


if __name__ == "__main__":
    main()
