"""Score a folder of pictures with the registered model on a local Spark: `python -m benchmarks.spark FOLDER OUT`."""

import argparse
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from experiments.data.specs import SPECS
from settings import Settings

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

PER_CALL = 200  # pictures that a worker gets at a time


def score(pictures: Path, out: Path, workers: int, dataset: str) -> tuple[int, float]:
    """Read each file of `pictures` and write a Parquet table of path and reading. Returns how many, and the seconds
    that it took once the workers had loaded the model."""
    import mlflow
    from pyspark.sql import SparkSession
    from pyspark.sql.functions import col, struct

    os.environ["PYSPARK_PYTHON"] = sys.executable  # of the workers
    mlflow.set_tracking_uri(Settings().mlflow_tracking_uri)
    session = SparkSession.builder.master(f"local[{workers}]").config("spark.ui.enabled", "false")
    spark = session.config("spark.sql.execution.arrow.maxRecordsPerBatch", PER_CALL).getOrCreate()
    alias = f"models:/{SPECS[dataset].registered_model}@production"
    read = mlflow.pyfunc.spark_udf(spark, alias, env_manager="local")
    table = spark.read.format("binaryFile").load(str(pictures)).repartition(4 * workers)
    scored = with_nulls(table.select("path", read(struct(col("content").alias("image"))).alias("reading")))
    scored.limit(workers).collect()
    started = time.perf_counter()
    scored.write.mode("overwrite").parquet(str(out))
    seconds = time.perf_counter() - started
    count = spark.read.parquet(str(out)).count()
    spark.stop()
    return count, seconds


def with_nulls(table: "DataFrame") -> "DataFrame":
    """The table with null where a reading has no label, text or error: MLflow writes the text None for it, which none
    of them ever is."""
    from pyspark.sql.functions import col, lit, nullif

    for name in ("label", "text", "error"):
        column = col("reading").withField(name, nullif(col(f"reading.{name}"), lit("None")))
        table = table.withColumn("reading", column)
    return table


def main() -> None:
    """Score and say how fast."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pictures", type=Path, metavar="FOLDER", help="with the pictures, and nothing else")
    parser.add_argument("out", type=Path, metavar="OUT", help="folder for the Parquet files")
    parser.add_argument("--workers", type=int, default=2, help="processes (default: 2)")
    parser.add_argument("--dataset", choices=sorted(SPECS), default="mnist", help="whose model (default: mnist)")
    arguments = parser.parse_args()
    count, seconds = score(arguments.pictures, arguments.out, arguments.workers, arguments.dataset)
    print(f"{count} pictures in {seconds:.1f} s by {arguments.workers} workers: {count / seconds:.0f} a second")


if __name__ == "__main__":
    main()
