"""Keyed names of tombstones, so that deleted users cannot be found by hashing a list of ids.

A name is the keyed hash of the unkeyed hash of earlier versions, so that their names can be converted without the
ids. The key is in a file, or in Redis itself if no file is given: then it protects where only names of keys are
seen (``MONITOR``, ``SCAN``, slow log), not against access to all of Redis.
"""

from __future__ import annotations

import hashlib
import secrets
import threading
import time
from binascii import hexlify
from pathlib import Path

from gars.adapters.redis import scripts
from gars.adapters.redis.connection import Client, explained, is_cluster, shown
from gars.adapters.redis.keys import Keys, slot_tag
from gars.domain.errors import StorageError
from gars.runtime import key_file

_PAGE = 500
_FIELDS = ("key", "digest", "names")
_CHECK_S = 5.0
"""Interval (s) of comparing the key with Redis: an emptied Redis gets the key again, or may have another one."""


class TombstoneNames:
    """Names of the tombstones of one installation. The first call opens the key and converts older names.

    In a Redis Cluster a name includes the slot of the user's state, because one script writes both: it reveals the one
    in 16,384 of all ids that the user is among. Without a cluster names have no slot.
    """

    def __init__(self, client: Client, address: str, keys: Keys, *, file: Path | None = None) -> None:
        self._client = client
        self._address = address
        self._keys = keys
        self._file = file
        self._has_slots = is_cluster(address)
        self._key = b""
        self._checked_s = 0.0
        self._lock = threading.Lock()

    def of(self, user_id: str) -> str:
        """Return the name of a user's tombstone. Raises ``StorageError``."""
        return self._name(_unkeyed(user_id), slot_tag(user_id) if self._has_slots else "")

    def open(self) -> bytes:
        """Return the key; rename older tombstones before the first use.

        Raises:
            StorageError: the key is missing or another one, or Redis does not answer.
        """
        if self._is_due():
            with self._lock, explained("use tombstones in", self._address):
                if self._is_due():
                    self._key = self._open()
                    self._checked_s = time.monotonic()
        return self._key

    def _is_due(self) -> bool:
        return not self._key or time.monotonic() > self._checked_s + _CHECK_S

    def _open(self) -> bytes:
        held, digest, names = self._client.hmget(self._keys.tombstone_key, *_FIELDS)
        key = self._key_of(held, digest)
        wanted = b"slots" if self._has_slots else b"plain"
        if names == wanted:
            return key
        if names == b"plain":
            raise StorageError(
                f"the tombstones in Redis at {shown(self._address)} are those of a single Redis, without slots",
                hint="keep GARS_TOMBSTONES in Cassandra, and fill an empty Redis Cluster with: gars replay",
            )
        self._rename(key)
        self._client.hset(self._keys.tombstone_key, "names", wanted)
        return key

    def _key_of(self, held: bytes | None, digest: bytes | None) -> bytes:
        """Return the key, from the file if there is one; ``held`` and ``digest`` are the values in Redis."""
        if self._file is None:
            if held is None and digest is not None:
                raise StorageError(
                    f"the key of the tombstones in Redis at {shown(self._address)} is in a file",
                    hint="set GARS_TOMBSTONE_KEY to its path (for the feature job: --tombstone-key PATH)",
                )
            made = self._key or secrets.token_bytes(key_file.BYTES)
            kept: bytes = self._client.eval(
                scripts.KEEP_TOMBSTONE_KEY, 1, self._keys.tombstone_key, _digest(made), made
            )[1]
            return kept
        key = key_file.read(self._file)
        if key is None and held is None and digest is not None:
            raise StorageError(
                f"{self._file} is missing: without this key deleted users in Redis are not recognised",
                hint="copy the file of GARS_TOMBSTONE_KEY from another machine of the installation, or from a backup",
            )
        key = key or key_file.make(self._file, held or secrets.token_bytes(key_file.BYTES))
        used = self._client.eval(scripts.KEEP_TOMBSTONE_KEY, 1, self._keys.tombstone_key, _digest(key), "")[0]
        if used != _digest(key):
            raise StorageError(
                f"{self._file} is another key than that of the tombstones in Redis at {shown(self._address)}",
                hint="copy the file of GARS_TOMBSTONE_KEY from another machine of the installation, or from a backup",
            )
        self._client.hdel(self._keys.tombstone_key, "key")  # it is in the file now
        return key

    def _rename(self, key: bytes) -> None:
        """Rename tombstones to their keyed names; renamed ones are skipped, so it is idempotent."""
        for pattern in (self._keys.unkeyed_tombstones, self._keys.tombstones):
            for name in self._client.scan_iter(f"{pattern}*", count=_PAGE):
                new = self._renamed(name.decode(), key)
                if new != name.decode():
                    self._client.eval(scripts.MOVE_TOMBSTONE, 2, name, new)
        index = self._keys.tombstone_index
        for name, offset in self._client.zrange(index, 0, -1, withscores=True):
            new = self._renamed(name.decode(), key)
            if new != name.decode():
                self._client.zadd(index, {new: offset}, gt=True)
                self._client.zrem(index, name)

    def _renamed(self, name: str, key: bytes) -> str:
        """Return the new name of a tombstone whose name has a slot, hashed with or without a key."""
        tag, _, user_hash = name.rpartition(":")
        tag = tag.rpartition(":")[2].strip("{}") if self._has_slots else ""
        if name.startswith(self._keys.unkeyed_tombstones):
            return self._name(bytes.fromhex(user_hash), tag, key)
        return self._keys.tombstone(user_hash, tag)

    def _name(self, unkeyed: bytes, tag: str, key: bytes | None = None) -> str:
        keyed = hashlib.blake2b(unkeyed, digest_size=16, key=key or self.open(), person=b"gars.wrapped")
        return self._keys.tombstone(keyed.hexdigest(), tag)


def _unkeyed(user_id: str) -> bytes:
    """Return the hash in the names of earlier versions."""
    return hashlib.blake2b(user_id.encode(), digest_size=16, person=b"gars.forgotten").digest()


def _digest(key: bytes) -> bytes:
    return hexlify(hashlib.blake2b(key, digest_size=16, person=b"gars.key.check").digest())
