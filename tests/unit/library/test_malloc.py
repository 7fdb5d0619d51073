"""Freed memory stays: a block that is asked for again and again does not fault its pages in each time."""

import subprocess
import sys

import pytest

PROGRAM = """
import resource, sys
import numpy as np
from gars.library.malloc import keep_freed_memory
if sys.argv[1] == "kept":
    keep_freed_memory()
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


GIVEN_BACK = """
import numpy as np
from gars.library.malloc import trim_freed_memory, keep_freed_memory, resident_mb
keep_freed_memory()
kept = [np.ones(500_000, np.int8) for _ in range(400)]
del kept[:-1]
before = resident_mb()
trim_freed_memory()
print(before - resident_mb())
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the GNU C library is asked")
def test_memory_freed_after_the_start_is_returned_once() -> None:
    done = subprocess.run([sys.executable, "-c", GIVEN_BACK], check=True, capture_output=True, text=True)
    assert float(done.stdout) > 150, "the last block keeps the others inside the heap until they are trimmed"


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux can take pages out")
def test_code_of_the_compiler_leaves_memory_and_comes_back() -> None:
    code = """
from pathlib import Path
import numba
from gars.library.malloc import unload_start_libraries

def resident_kb():
    kept, is_code = 0, False
    for line in Path("/proc/self/smaps").read_text().splitlines():
        if line[8:].count("-") and "libllvmlite.so" in line:
            is_code = " r-xp " in line
        elif line.endswith(".so") or "[" in line:
            is_code = False
        elif line.startswith("Rss:") and is_code:
            kept += int(line.split()[1])
    return kept

numba.njit(lambda x: x + 1)(1)
before = resident_kb()
unload_start_libraries()
print(before, resident_kb(), numba.njit(lambda x: x + 2)(1))
"""
    before, after, compiled = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    assert int(before) > 10_000
    assert int(after) < int(before) / 10
    assert compiled == "3"
