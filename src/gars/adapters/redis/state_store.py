"""User states in Redis, read by every API process and written by the feature job."""

from __future__ import annotations

import heapq
from collections.abc import Mapping, Sequence
from itertools import islice
from pathlib import Path

import msgspec

from gars.adapters.redis.connection import connect, explained, shown
from gars.adapters.redis.keys import BUCKETS, Keys
from gars.adapters.redis.state_writer import StateWrite, StateWriter
from gars.application.events.replay import Rebuilt
from gars.domain import user_state
from gars.domain.errors import StorageError
from gars.domain.user_state import UserState

_HEARTBEAT_S = 60


class RedisStateStore:
    """A ``StateStore`` in one Redis or a Redis Cluster.

    States and checkpoints of one ``put`` are not one transaction, as they may be on different machines: states are
    written first, so a checkpoint never refers to missing states. Every write is idempotent.
    States expire ``ttl_s`` seconds after the last change; 0: never. ``key_file`` has the key of the names of
    tombstones (``tombstone_names``).
    """

    def __init__(self, address: str, *, prefix: str = "gars", ttl_s: int = 0, key_file: Path | None = None) -> None:
        self._address = address
        self._client = connect(address)
        self._keys = Keys(prefix)
        self._writer = StateWriter(self._client, address, keys=self._keys, ttl_s=ttl_s, key_file=key_file)

    def get(self, user_id: str) -> UserState | None:
        """Return a state in one round trip."""
        with explained("read from", self._address):
            blob: bytes | None = self._client.hget(self._keys.state(user_id), "state")
        return None if blob is None else self._decode(user_id, blob)

    def get_many(self, user_ids: Sequence[str]) -> dict[str, UserState]:
        """Return states in one round trip (to each machine)."""
        with explained("read from", self._address):
            pipeline = self._client.pipeline(transaction=False)
            for user_id in user_ids:
                pipeline.hget(self._keys.state(user_id), "state")
            blobs = pipeline.execute() if user_ids else []
        return {
            user_id: self._decode(user_id, blob)
            for user_id, blob in zip(user_ids, blobs, strict=True)
            if blob is not None
        }

    def put(self, states: Sequence[UserState], *, checkpoints: Mapping[str, str] | None = None) -> None:
        """Store the states, then the checkpoints."""
        self._writer.write([StateWrite(one.user_id, one.version, user_state.encode(one)) for one in states])
        with explained("write to", self._address):
            for name, value in (checkpoints or {}).items():
                self._client.set(self._keys.checkpoint(name), value)

    def put_initial(self, states: Sequence[UserState]) -> int:
        """Store initial states atomically for each user, so that concurrent live events are kept."""
        return self._writer.write_initial([(one.user_id, user_state.encode(one)) for one in states])

    def rebuild(self, users: Sequence[Rebuilt]) -> int:
        """Write rebuilt states, subject to versions and tombstones; users without a state are deleted."""
        return self._writer.write(
            [
                StateWrite(
                    one.user_id,
                    one.state.version if one.state else 0,
                    user_state.encode(one.state) if one.state else None,
                    offset=one.offset,
                )
                for one in users
            ]
        )

    def checkpoint(self, name: str) -> str | None:
        """Return the last stored checkpoint of a name."""
        with explained("read from", self._address):
            value: bytes | None = self._client.get(self._keys.checkpoint(name))
        return None if value is None else value.decode()

    def user_ids(self, *, limit: int, after: str = "") -> list[str]:
        """Return a page of ids, merged from the parts of the index."""
        start = f"({after}" if after else "-"
        with explained("read from", self._address):
            pipeline = self._client.pipeline(transaction=False)
            for bucket in range(BUCKETS):
                pipeline.zrangebylex(self._keys.users(bucket), start, "+", start=0, num=limit)
            pages = pipeline.execute()
        return [found.decode() for found in islice(heapq.merge(*pages), limit)]

    def forget(self, user_id: str) -> bool:
        """Delete a state; a keyed hash of the id stays, so that a backfill does not restore it."""
        return self._writer.forget(user_id)

    def check(self) -> None:
        """Check that states can be written."""
        with explained("write to", self._address):
            self._client.set(self._keys.heartbeat, 1, ex=_HEARTBEAT_S)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _decode(self, user_id: str, blob: bytes) -> UserState:
        try:
            return user_state.decode(blob)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise StorageError(
                f"the state of user {user_id!r} in Redis at {shown(self._address)} cannot be read: {error}",
                hint="rebuild the states from the log with: gars replay --from kafka --to redis",
            ) from error
