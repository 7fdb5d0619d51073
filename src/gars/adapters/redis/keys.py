"""Names of keys in Redis, chosen so that the keys of one call share a slot of a Redis Cluster.

The part in braces decides the slot (Redis Cluster specification, "hash tags"). In a Redis Cluster a tombstone must
be in the slot of the user's state without naming the user: its braces hold a number that hashes to that slot.
"""

from __future__ import annotations

from binascii import crc_hqx
from functools import cache

SLOTS = 16_384
BUCKETS = 16
"""Parts of the index of users: enough to spread it, few enough to merge."""


class Keys:
    """Every key of one installation; ``prefix`` keeps several apart in one Redis."""

    def __init__(self, prefix: str = "gars") -> None:
        self.prefix = prefix
        self.heartbeat = f"{prefix}:heartbeat"
        self.tombstone_index = f"{prefix}:tombstones"
        self.tombstone_key = f"{prefix}:tombstone-key"
        self.tombstones = f"{prefix}:deleted:"
        """Prefix of the names of tombstones."""
        self.unkeyed_tombstones = f"{prefix}:tombstone:"
        """Prefix in earlier versions, followed by a slot and an unkeyed hash."""

    def state(self, user_id: str) -> str:
        """Hash: ``version`` and ``state``."""
        return f"{self.prefix}:state:{{{_quoted(user_id)}}}"

    def changes(self, user_id: str) -> str:
        """Channel of a user's changes."""
        return f"{self.prefix}:changes:{{{_quoted(user_id)}}}"

    def tombstone(self, user_hash: str, tag: str = "") -> str:
        """Hash: tombstone of a user. ``tag`` is the user's ``slot_tag`` where the slot matters."""
        return f"{self.tombstones}{{{tag}}}:{user_hash}" if tag else f"{self.tombstones}{user_hash}"

    def users(self, bucket: int) -> str:
        """Sorted set: one part of the known ids."""
        return f"{self.prefix}:users:{bucket}"

    def checkpoint(self, name: str) -> str:
        """String: a checkpoint."""
        return f"{self.prefix}:checkpoint:{name}"

    def trend(self, bucket: int) -> str:
        """Hash: anime id → weight of its events in one time bucket."""
        return f"{self.prefix}:trend:{bucket}"


def bucket(user_id: str) -> int:
    """Return the part of the user index that holds an id."""
    return crc_hqx(user_id.encode(), 0) % BUCKETS


def slot_tag(user_id: str) -> str:
    """Return a number whose slot as a hash tag is that of the user's state."""
    return str(_numbers()[slot(_quoted(user_id))])


def slot(tag: str) -> int:
    """Return the slot of a key whose hash tag is ``tag``."""
    return crc_hqx(tag.encode(), 0) % SLOTS


def _quoted(user_id: str) -> str:
    """Quote braces in an id, which would change the slot."""
    return user_id.replace("%", "%25").replace("{", "%7B").replace("}", "%7D")


@cache
def _numbers() -> list[int]:
    """Return a number for each slot. Takes 0.2 s, once."""
    found: dict[int, int] = {}
    number = 0
    while len(found) < SLOTS:
        found.setdefault(slot(str(number)), number)
        number += 1
    return [found[wanted] for wanted in range(SLOTS)]
