"""Writes user states and tells of their changes in the same step: what the feature job calls."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from gars.adapters.redis import scripts
from gars.adapters.redis.connection import Client, explained
from gars.adapters.redis.keys import Keys, bucket
from gars.application.ports import Change

_BATCH = 500
"""Calls in one round trip."""


@dataclass(frozen=True, slots=True)
class StateWrite:
    """One state on its way to Redis. ``state`` is ``user_state.encode`` of it."""

    user_id: str
    version: int
    state: bytes
    changes: Sequence[Change] = ()
    """Published if the state is kept."""
    offset: int | None = None
    """Of the last event in it; keeps a state from before a tombstone out. ``None`` where it is not known."""


class StateWriter:
    """Pipelined writes; none ever moves a version backwards."""

    def __init__(self, client: Client, address: str, *, keys: Keys | None = None, ttl_s: int = 0) -> None:
        self._client = client
        self._address = address
        self._keys = keys or Keys()
        self._ttl_s = ttl_s
        self._encoder = msgspec.msgpack.Encoder()

    def write(self, writes: Sequence[StateWrite]) -> int:
        """Keep what is not older than what is there. → how many were kept. Raises ``StorageError``."""
        return self._run(
            [
                (
                    one.user_id,
                    scripts.PUT_STATE,
                    (
                        one.version,
                        one.state,
                        self._ttl_s,
                        "" if one.offset is None else one.offset,
                        self._keys.changes(one.user_id),
                        *(self._encoder.encode(change) for change in one.changes),
                    ),
                )
                for one in writes
            ]
        )

    def write_initial(self, states: Sequence[tuple[str, bytes]]) -> int:
        """Keep version-0 states of users without live events who were not forgotten. → how many were kept."""
        return self._run([(user_id, scripts.PUT_INITIAL, (state, self._ttl_s)) for user_id, state in states])

    def forget(self, user_id: str, *, offset: int | None = None) -> bool:
        """Delete a state; nothing from ``offset`` of the log or before brings it back. → whether there was one."""
        keys = self._keys
        with explained("write to", self._address):
            gone = self._client.eval(
                scripts.FORGET_STATE, 2, keys.state(user_id), keys.tombstone(user_id), "" if offset is None else offset
            )
            self._client.zrem(keys.users(bucket(user_id)), user_id)
        return bool(gone)

    def _run(self, calls: Sequence[tuple[str, str, Sequence[object]]]) -> int:
        kept = 0
        for start in range(0, len(calls), _BATCH):
            chunk = calls[start : start + _BATCH]
            with explained("write to", self._address):
                pipeline = self._client.pipeline(transaction=False)
                for user_id, script, arguments in chunk:
                    pipeline.eval(script, 2, self._keys.state(user_id), self._keys.tombstone(user_id), *arguments)
                answers = pipeline.execute()
                self._list([user_id for (user_id, _, _), answer in zip(chunk, answers, strict=True) if answer == 2])
            kept += sum(answer > 0 for answer in answers)
        return kept

    def _list(self, new: Sequence[str]) -> None:
        """Add new users to the index, which lies in other slots than their states."""
        if not new:
            return
        pipeline = self._client.pipeline(transaction=False)
        for user_id in new:
            pipeline.zadd(self._keys.users(bucket(user_id)), {user_id: 0})
        pipeline.execute()
