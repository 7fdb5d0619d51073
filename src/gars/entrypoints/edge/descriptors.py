"""File descriptors: as many as the system allows, and no more connections than there are descriptors for."""

from __future__ import annotations

import logging

logger = logging.getLogger(__name__)

_ENOUGH = 65_536
_RESERVED = 256
"""For databases, models, pipes and connections to other services."""


def raise_file_limit() -> int | None:
    """Raise the soft limit of open files up to the hard limit, at most to 65,536.

    Returns:
        The limit, or ``None`` if the platform has none (Windows).
    """
    try:
        import resource
    except ImportError:
        return None
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _ENOUGH if hard == resource.RLIM_INFINITY else min(hard, _ENOUGH)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return None if soft == resource.RLIM_INFINITY else soft
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    except (OSError, ValueError) as error:  # a sandbox may forbid what the limits allow
        logger.warning("the limit of open files stays at %d: %s", soft, error)
        return soft
    return wanted


def connections_within(wanted: int, files: int | None) -> int:
    """Return how many connections may be open at once where ``files`` descriptors are allowed."""
    if files is None:
        return wanted
    most = max(16, files - _RESERVED) if files > 2 * _RESERVED else max(16, files // 2)
    if wanted > most:
        logger.warning("at most %d connections in place of %d: the limit of open files is %d", most, wanted, files)
    return min(wanted, most)
