"""Freed memory stays: a block that is asked for again and again does not fault its pages in each time."""

import subprocess
import sys

import pytest

PROGRAM = """
import resource, sys
import numpy as np
from gars.library.heap import keep_freed
if sys.argv[1] == "kept":
    keep_freed()
for _ in range(20):
    np.ones(4_000_000, np.int8)
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(50):
    np.ones(4_000_000, np.int8)
    np.ones(40_000_000, np.int8)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the GNU C library is asked")
def test_a_block_asked_for_again_is_there_already() -> None:
    assert faults("kept") * 5 < faults("given back")


def faults(how: str) -> int:
    done = subprocess.run([sys.executable, "-c", PROGRAM, how], check=True, capture_output=True, text=True)
    return int(done.stdout)
