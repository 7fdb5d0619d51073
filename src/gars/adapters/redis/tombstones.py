"""Tombstones of deleted users in Redis: one hash per user, named by a keyed hash of the user's id."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from gars.adapters.redis import scripts
from gars.adapters.redis.connection import connect, explained
from gars.adapters.redis.keys import Keys
from gars.adapters.redis.tombstone_names import TombstoneNames
from gars.application.ports import Tombstone

_PAGE = 500


class RedisTombstones:
    """``Tombstones`` in Redis. As durable as Redis is: where it is a cache, store them in Cassandra."""

    def __init__(self, address: str, *, prefix: str = "gars", key_file: Path | None = None) -> None:
        self._address = address
        self._client = connect(address)
        self._keys = Keys(prefix)
        self._names = TombstoneNames(self._client, address, self._keys, file=key_file)

    def put(self, user_id: str, stone: Tombstone) -> None:
        """Write a tombstone atomically, then the index of all."""
        key = self._names.of(user_id)
        with explained("write to", self._address):
            offset = self._client.eval(scripts.PUT_TOMBSTONE, 1, key, stone.offset, stone.time_ms)
            self._client.zadd(self._keys.tombstone_index, {key: int(offset)})

    def settle(self, user_id: str) -> None:
        """Mark a user's tombstone as settled."""
        with explained("write to", self._address):
            self._client.eval(scripts.SETTLE_TOMBSTONE, 1, self._names.of(user_id))

    def settle_all(self) -> None:
        """Mark every tombstone of the index as settled."""
        with explained("write to", self._address):
            for page in self._pages():
                pipeline = self._client.pipeline(transaction=False)
                for key in page:
                    pipeline.execute_command("EVAL", scripts.SETTLE_TOMBSTONE, 1, key)
                pipeline.execute()

    def find(self, user_id: str) -> Tombstone | None:
        """Return a user's tombstone."""
        with explained("read from", self._address):
            fields = self._client.hmget(self._names.of(user_id), "offset", "time_ms", "settled")
        if fields[1] is None:  # only the mark of a state that was deleted
            return None
        return Tombstone(offset=int(fields[0]), time_ms=int(fields[1]), settled=fields[2] == b"1")

    def newest_offset(self) -> int:
        """Return the highest score of the index."""
        with explained("read from", self._address):
            found = self._client.zrange(self._keys.tombstone_index, 0, 0, desc=True, withscores=True)
        return int(found[0][1]) if found else 0

    def is_unsettled(self) -> bool:
        """Return true if any tombstone of the index is not settled."""
        with explained("read from", self._address):
            for page in self._pages():
                pipeline = self._client.pipeline(transaction=False)
                for key in page:
                    pipeline.hget(key, "settled")
                if any(settled != b"1" for settled in pipeline.execute()):
                    return True
        return False

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _pages(self) -> Iterator[list[bytes]]:
        """Yield pages of the keys in the index."""
        self._names.open()
        start = 0
        while page := self._client.zrange(self._keys.tombstone_index, start, start + _PAGE - 1):
            yield page
            start += _PAGE
