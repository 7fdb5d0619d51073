"""Cursors for paging: the titles shown so far, with model and state version, as an opaque string."""

from __future__ import annotations

import base64
import hashlib

import msgspec

from gars.domain.candidates import Filters
from gars.domain.errors import InvalidInputError

MAX_SHOWN = 1_000
"""Titles a cursor remembers; the pages end there."""
MAX_LENGTH = 8_192
"""Characters of a cursor."""
_BAD = "it is sent as it came in `next` of the page before; leave it out for the first page"


class Cursor(msgspec.Struct, frozen=True, array_like=True):
    """Everything the next page needs to know: the server keeps nothing."""

    list_hash: bytes
    """Whose list by which filters."""
    model_version: str
    state_version: int
    gaps: tuple[int, ...]
    """Ids of the titles shown, ascending, each as the difference to the one before."""

    @property
    def shown(self) -> tuple[int, ...]:
        """Ids of the titles shown, ascending."""
        ids: list[int] = []
        for gap in self.gaps:
            ids.append(gap + (ids[-1] if ids else 0))
        return tuple(ids)


def make(
    user_id: str, filters: Filters, asked: str = "", *, model_version: str, state_version: int, shown: tuple[int, ...]
) -> Cursor:
    """The cursor after these titles."""
    ids = sorted(shown)
    gaps = tuple(after - before for before, after in zip([0, *ids], ids, strict=False))
    return Cursor(list_hash(user_id, filters, asked), model_version, state_version, gaps)


def list_hash(user_id: str, filters: Filters, asked: str = "") -> bytes:
    """Hash a user and filters, without the day and the titles shown: the same for all pages of a list.

    The filters made of a request in words depend on the model and the day, so its text ``asked`` stands for them.
    """
    kept = msgspec.structs.replace(filters, released_by=None, shown=())
    content = (user_id, kept, asked) if asked else (user_id, kept)
    return hashlib.blake2b(msgspec.msgpack.encode(content), digest_size=8).digest()


def encode(cursor: Cursor) -> str:
    """As a word for an address."""
    return base64.urlsafe_b64encode(msgspec.msgpack.encode(cursor)).decode().rstrip("=")


def decode(text: str) -> Cursor:
    """Back again; raises ``InvalidInputError`` for what no cursor is."""
    try:
        packed = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        found = msgspec.msgpack.decode(packed, type=Cursor)
    except (ValueError, msgspec.MsgspecError) as error:
        raise InvalidInputError("cursor: not one of this service", hint=_BAD) from error
    if len(found.gaps) > MAX_SHOWN or any(not 0 <= gap < 2**31 for gap in found.gaps):
        raise InvalidInputError("cursor: not one of this service", hint=_BAD)
    return found
