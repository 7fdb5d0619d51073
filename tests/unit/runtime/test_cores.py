"""Who runs where."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from gars.adapters.processes.cores import share_out


@pytest.mark.parametrize(
    ("cores", "processes", "service", "own"),
    [
        ([0, 1, 2, 3], 0, {0, 1, 2, 3}, []),
        ([0, 1, 2, 3], 1, {0, 1, 2}, [3]),
        ([0, 1, 2, 3], 3, {0}, [3, 2, 1]),
        ([2, 7], 2, {2}, [7, 2]),
        ([0, 1], 3, {0}, [1, 0, 1]),
        ([5], 2, {5}, [5, 5]),
    ],
)
def test_each_process_has_a_core(cores: list[int], processes: int, service: set[int], own: list[int]) -> None:
    shares = share_out(cores, processes)
    assert shares.service == service
    assert [set(one) for one in shares.processes] == [{core} for core in own]


def test_no_known_cores_pin_nothing() -> None:
    assert share_out([], 2) == (frozenset(), (frozenset(), frozenset()))


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system does not pin processes")
def test_what_a_process_starts_stays_where_it_is() -> None:
    program = """
import os, threading
from gars.adapters.processes.cores import allowed, share_out, stay_on
cores = allowed()
stay_on(share_out(cores, 1).service)
seen = []
thread = threading.Thread(target=lambda: seen.append(tuple(sorted(os.sched_getaffinity(0)))))
thread.start()
thread.join()
print(seen[0] == (cores[:-1] or cores), allowed() == cores)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "True True\n"
