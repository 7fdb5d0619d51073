"""Deletion requests made at the service or by ``gars data forget``, as crawls and snapshots check them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from gars.config import from_environment
from gars.datasets.forgotten import forgotten


@contextmanager
def deleted_at_the_service(home: Path) -> Iterator[Callable[[int], bool]]:
    """Yield a function that tests if a user was deleted by ``DELETE /users/{id}``, by the service's tombstones."""
    try:
        from gars.bootstrap import open_tombstones
    except ImportError:  # without the serve extra there is no service here that could delete anybody
        yield lambda _: False
        return
    tombstones = open_tombstones(from_environment(os.environ, home=home))
    try:
        has_deletions = tombstones.newest_offset() > 0
        yield lambda user_id: has_deletions and tombstones.find(str(user_id)) is not None
    finally:
        tombstones.close()


@contextmanager
def deleted(home: Path) -> Iterator[Callable[[int], bool]]:
    """Yield a function that tests if a user was deleted, at the service or by ``gars data forget``."""
    listed = forgotten(home)
    with deleted_at_the_service(home) as is_deleted:
        yield lambda user_id: user_id in listed or is_deleted(user_id)
