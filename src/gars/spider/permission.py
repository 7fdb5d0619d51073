"""Permission to crawl a site: granted once by a person, stored with its date, checked before every run."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from gars.datasets.durable import write_whole
from gars.domain.errors import DataError, GarsError

FILE = "permissions.json"
TERMS = (
    "The terms of anime sites, MyAnimeList's among them, forbid collecting their pages by program without consent. "
    "GARS does not ask a site before a person says that they have it."
)


class PermissionMissingError(GarsError):
    """No permission to crawl the site was granted."""

    code = "permission_missing"


class Permission(msgspec.Struct, frozen=True):
    """One person's word for one host."""

    host: str
    granted_at: datetime = msgspec.field(name="said_at")  # as files of earlier versions name it
    statement: str = "I have permission to collect the pages of this site."


def grant(home: Path, site: str, now: datetime) -> None:
    """Keep a person's word that they may crawl ``site``. Raises ``StorageError``."""
    host = host_of(site)
    kept = [one for one in _read(home) if one.host != host]
    content = msgspec.json.encode([*kept, Permission(host, now)])
    write_whole(_path(home), msgspec.json.format(content) + b"\n", mode=0o600)


def require(home: Path, site: str) -> None:
    """Raise ``PermissionMissingError`` unless permission to crawl ``site`` was granted."""
    host = host_of(site)
    if not any(one.host == host for one in _read(home)):
        raise PermissionMissingError(
            f"{host}: there is no permission to collect its pages. {TERMS}",
            hint="if you do have permission, say so once: add --i-have-permission",
        )


def host_of(site: str) -> str:
    """The host an address names."""
    return urlsplit(site).hostname or site


def _path(home: Path) -> Path:
    return home / "spider" / FILE


def _read(home: Path) -> list[Permission]:
    try:
        return msgspec.json.decode(_path(home).read_bytes(), type=list[Permission])
    except FileNotFoundError:
        return []
    except msgspec.DecodeError as error:
        raise DataError(
            f"{_path(home)}: is damaged: {error}", hint="remove it and say --i-have-permission again"
        ) from error
