"""The parts of the Redis adapter that need no server."""

from __future__ import annotations

import pytest
import redis

from gars.adapters.redis.connection import connect, explained, shown
from gars.adapters.redis.keys import SLOTS, Keys, slot, slot_tag
from gars.domain.errors import InvalidInputError, StorageError

USERS = ["7", "somebody", "a}b", "}", "{", "%7D", "{x}", "ünï", "x" * 128]


def _slot_of(key: str) -> int:
    from redis.crc import key_slot

    return int(key_slot(key.encode()))


@pytest.mark.parametrize("user_id", USERS)
def test_what_one_call_touches_lies_in_one_slot(user_id: str) -> None:
    keys = Keys()
    assert _slot_of(keys.tombstone("0a1b", slot_tag(user_id))) == _slot_of(keys.state(user_id))


def test_users_have_keys_of_their_own() -> None:
    keys = Keys()
    assert len({keys.state(user_id) for user_id in USERS}) == len(USERS)
    assert len({keys.changes(user_id) for user_id in USERS}) == len(USERS)


def test_users_are_spread_over_the_slots() -> None:
    keys = Keys()
    assert len({_slot_of(keys.state(str(number))) for number in range(5000)}) > 4000


def test_slot_is_the_clients() -> None:
    for number in range(0, SLOTS, 97):
        assert slot(str(number)) == _slot_of(f"x:{{{number}}}:y")


def test_a_prefix_keeps_installations_apart() -> None:
    assert Keys("other").state("7").startswith("other:state:")


@pytest.mark.parametrize("address", ["sqlite:x", "redis:", "redis://host:port/0", "http://x"])
def test_an_address_that_is_none(address: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        connect(address).ping()
    assert "redis://HOST:PORT/0" in (caught.value.hint or "")


@pytest.mark.parametrize(
    ("error", "hint"),
    [
        (redis.AuthenticationError("wrong password"), "put user and password into the address"),
        (redis.ReadOnlyError("You can't write against a read only replica."), "address of the primary"),
        (redis.ConnectionError("refused"), "is it running? gars doctor"),
        (redis.TimeoutError("Timeout reading"), "is it running? gars doctor"),
        (redis.ResponseError("OOM command not allowed"), "raise maxmemory"),
        (redis.ResponseError("MISCONF Redis is configured to save"), "free space"),
        (redis.ResponseError("anything else"), "look into its log"),
    ],
)
def test_errors_have_a_remedy(error: redis.RedisError, hint: str) -> None:
    with (
        pytest.raises(StorageError, match=r"cannot write to Redis at redis://host:1/0: ") as caught,
        explained("write to", "redis://host:1/0"),
    ):
        raise error
    assert hint in (caught.value.hint or "")


def test_a_password_is_not_shown() -> None:
    assert shown("redis://me:secret@host:1/0") == "redis://me:***@host:1/0"
    assert shown("redis://host:1/0") == "redis://host:1/0"
    with pytest.raises(StorageError) as caught, explained("read from", "redis://:secret@host:1/0"):
        raise redis.ConnectionError("refused")
    assert "secret" not in str(caught.value)
