from __future__ import annotations

import os
from contextlib import ExitStack

import pytest
from threadpoolctl import ThreadpoolController

from gars.library.blas import one_thread


def threads() -> set[int]:
    """Return the numbers of threads of the BLAS libraries that are loaded."""
    return {one["num_threads"] for one in ThreadpoolController().select(user_api="blas").info()}


@pytest.mark.skipif((os.cpu_count() or 1) < 2, reason="one processor has one thread anyway")
def test_limit_holds_until_the_last_of_overlapping_blocks_ends() -> None:
    with ThreadpoolController().limit(limits=2, user_api="blas"):
        first, second = ExitStack(), ExitStack()
        first.enter_context(one_thread())
        assert threads() == {1}
        second.enter_context(one_thread())
        first.close()
        assert threads() == {1}, "another block still runs"
        second.close()
        assert threads() == {2}
