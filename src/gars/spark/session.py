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

_FEWER_CORES = "use fewer cores, such as --master 'local[1]', or a machine with more memory"
_FAILURES = {
    "OutOfMemoryError": (
        "Spark ran out of memory",
        "give it more, such as --memory 8g, or cut the work into more pieces, such as --pieces 48",
    ),
    "MemoryError": ("a Python process of Spark ran out of memory", _FEWER_CORES),
    "Python worker exited unexpectedly": (
        "a Python process of Spark ended unexpectedly",
        f"if the system ended it for its memory (see its log), {_FEWER_CORES}",
    ),
}
"""Part of the text of an error → what happened and what to do; the first that fits."""


@contextmanager
def session(master: str, *, memory: str = "2g") -> Iterator[SparkSession]:
    """A session that ends with the block; ``memory`` is the driver's: on ``local[N]`` all that the JVM has.

    Raises:
        StackError: there is no Java, or an older one, or a job ran out of memory or lost a process.
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
        failure = next((failure for sign, failure in _FAILURES.items() if sign in str(error)), None)
        if failure is None:
            raise
        raise StackError(failure[0], hint=failure[1]) from error
    finally:
        spark.stop()
