"""Schemes of store addresses, and imports of the adapters that need optional packages."""

from __future__ import annotations

import importlib
from pathlib import Path
from types import ModuleType

from gars.config import Settings
from gars.domain.errors import InvalidInputError, MissingExtraError

REDIS = ("redis", "rediss", "unix", "redis-cluster", "rediss-cluster")


def scheme(address: str) -> str:
    """Return the scheme of an address: the part before the first colon."""
    return address.partition(":")[0]


def is_cluster(settings: Settings) -> bool:
    """Return whether events go to a shared log (Kafka): other processes apply them and find those of a user."""
    return scheme(settings.event_log) == "kafka"


def adapter(technology: str, module: str) -> ModuleType:
    """Import a module of an adapter; raises ``MissingExtraError`` if its client library is not installed."""
    try:
        return importlib.import_module(f"gars.adapters.{technology}.{module}")
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("gars"):
            raise
        raise MissingExtraError(f"an address of {technology}", technology) from error


def unknown(name: str, address: str, *known: str) -> InvalidInputError:
    """Return the error for an address without an adapter; an address with credentials is shown by its scheme alone."""
    shown = address if "@" not in address else f"{scheme(address)}:…"  # it may hold a password
    return InvalidInputError(f"{name}={shown!r}: no such store", hint=f"this version knows {', '.join(known)}")


def sqlite_path(name: str, address: str) -> Path:
    """Return the file of an address ``sqlite:PATH``; raises ``InvalidInputError`` for any other."""
    kind, _, path = address.partition(":")
    if kind != "sqlite" or not path:
        raise unknown(name, address, "sqlite:PATH")
    return Path(path.removeprefix("//"))
