"""Writes user states and publishes their changes atomically, for the feature job."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from gars.adapters.redis import scripts
from gars.adapters.redis.connection import Client, explained
from gars.adapters.redis.keys import Keys, bucket
from gars.adapters.redis.tombstone_names import TombstoneNames
from gars.application.ports import Change
from gars.runtime import tracing

_ABOUT: Final = {"db.system.name": "redis", "db.operation.name": "EVAL"}
"""One call stores the state and publishes its changes."""
_NEW = 2
_BATCH = 500
"""Calls in one round trip."""


@dataclass(frozen=True, slots=True)
class StateWrite:
    """One state to write to Redis. ``state`` is ``user_state.encode`` of it; ``None`` deletes the stored one."""

    user_id: str
    version: int
    state: bytes | None
    changes: Sequence[Change] = ()
    """Published if the state is stored."""
    offset: int | None = None
    """Offset of the last event in it, as ``EventLog.append`` counts (in Kafka: the record's offset plus one); a state
    from before a tombstone is rejected by it. ``None`` if unknown.
    """


class StateWriter:
    """Pipelined writes that never decrease a version."""

    def __init__(
        self, client: Client, address: str, *, keys: Keys | None = None, ttl_s: int = 0, key_file: Path | None = None
    ) -> None:
        self._client = client
        self._address = address
        self._keys = keys or Keys()
        self._names = TombstoneNames(client, address, self._keys, file=key_file)
        self._ttl_s = ttl_s
        self._encoder = msgspec.msgpack.Encoder()

    def write(self, writes: Sequence[StateWrite]) -> int:
        """Store states that are not older than the stored ones, in order. → number stored. Raises ``StorageError``."""
        with tracing.spanning("redis write state", "client", attributes=_ABOUT):
            return self._run([self._call(one) for one in writes])

    def write_initial(self, states: Sequence[tuple[str, bytes]]) -> int:
        """Store version-0 states of users without live events who were not deleted. → number stored"""
        return self._run([(user_id, scripts.PUT_INITIAL, (state, self._ttl_s)) for user_id, state in states])

    def forget(self, user_id: str, *, offset: int | None = None) -> bool:
        """Delete a state; events up to ``offset`` of the log do not restore it. → true if there was one"""
        return self._run([self._call(StateWrite(user_id, 0, None, offset=offset))]) > 0

    def read(self, user_id: str) -> bytes | None:
        """Return the bytes of a state. Raises ``StorageError``."""
        with explained("read from", self._address):
            blob: bytes | None = self._client.hget(self._keys.state(user_id), "state")
        return blob

    def _call(self, one: StateWrite) -> tuple[str, str, Sequence[object]]:
        offset = "" if one.offset is None else one.offset
        if one.state is None:
            return one.user_id, scripts.FORGET_STATE, (offset,)
        messages = [self._encoder.encode(change) for change in one.changes]
        channel = self._keys.changes(one.user_id)
        return one.user_id, scripts.PUT_STATE, (one.version, one.state, self._ttl_s, offset, channel, *messages)

    def _run(self, calls: Sequence[tuple[str, str, Sequence[object]]]) -> int:
        kept = 0
        for start in range(0, len(calls), _BATCH):
            chunk = calls[start : start + _BATCH]
            with explained("write to", self._address):
                pipeline = self._client.pipeline(transaction=False)
                for user_id, script, arguments in chunk:
                    pipeline.execute_command(
                        "EVAL", script, 2, self._keys.state(user_id), self._names.of(user_id), *arguments
                    )
                answers = pipeline.execute()
                self._list(chunk, answers)
            kept += sum(answer > 0 for answer in answers)
        return kept

    def _list(self, calls: Sequence[tuple[str, str, Sequence[object]]], answers: Sequence[int]) -> None:
        """Update the index of users, which is in other slots than their states."""
        pipeline = self._client.pipeline(transaction=False)
        for (user_id, script, _), answer in zip(calls, answers, strict=True):
            if script == scripts.FORGET_STATE:
                pipeline.zrem(self._keys.users(bucket(user_id)), user_id)
            elif answer == _NEW:
                pipeline.zadd(self._keys.users(bucket(user_id)), {user_id: 0})
        if len(pipeline):
            pipeline.execute()
