"""A Spark session, on this machine or on a cluster."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from py4j.protocol import Py4JError
from pyspark.errors import PySparkException
from pyspark.sql import SparkSession

from gars.domain.errors import InvalidInputError
from gars.stack.engine import StackError
from gars.stack.java import java

_WITHOUT_MEMORY = {
    "OutOfMemoryError": "give it more, such as --memory 8g, or cut the work into more pieces, such as --pieces 48",
    "MemoryError": "its Python processes need it: use fewer cores, such as --master 'local[1]', or a larger machine",
    "Python worker exited unexpectedly": "the system ended one of its Python processes: use fewer cores, such as "
    "--master 'local[1]', or a larger machine",
}
"""Signs of too little memory in the text of an error, the first that fits, and what to do."""


@contextmanager
def session(master: str, *, memory: str = "2g") -> Iterator[SparkSession]:
    """A session that ends with the block; ``memory`` is the driver's, which on ``local[N]`` is everything.

    Raises:
        StackError: there is no Java, or an older one, or a job ran out of memory.
        InvalidInputError: the master does not answer, or there is no such kind of one.
    """
    java()
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)  # workers need what is installed here
    builder = (
        SparkSession.builder.master(master)
        .appName("gars")
        .config("spark.driver.memory", memory)
        .config("spark.ui.enabled", "false")
        .config("spark.ui.showConsoleProgress", "false")
        .config("spark.sql.session.timeZone", "UTC")
    )
    if master.startswith("local"):
        builder = builder.config("spark.driver.host", "127.0.0.1").config("spark.driver.bindAddress", "127.0.0.1")
    try:
        spark = builder.getOrCreate()
    except Exception as error:  # Py4J passes on whatever Java raised
        lines = str(error).strip().splitlines()
        raise InvalidInputError(
            f"Spark does not start with --master {master}: {lines[-1] if lines else type(error).__name__}",
            hint="try --master 'local[2]', which needs no cluster",
        ) from error
    spark.sparkContext.setLogLevel("ERROR")
    try:
        yield spark
    except (Py4JError, PySparkException) as error:
        hint = next((hint for sign, hint in _WITHOUT_MEMORY.items() if sign in str(error)), None)
        if hint is None:
            raise
        raise StackError("Spark ran out of memory", hint=hint) from error
    finally:
        spark.stop()
