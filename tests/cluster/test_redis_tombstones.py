"""Names of tombstones in Redis do not reveal who was deleted, even with a list of user ids."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from gars.adapters.redis import tombstone_names
from gars.adapters.redis.connection import connect
from gars.adapters.redis.keys import Keys, slot_tag
from gars.adapters.redis.state_store import RedisStateStore
from gars.adapters.redis.state_writer import StateWrite, StateWriter
from gars.adapters.redis.tombstones import RedisTombstones
from gars.application.ports import Tombstone
from gars.domain import user_state
from gars.domain.errors import StorageError
from gars.testing.contracts.state_store import state_after

DELETED = [f"user-{number}" for number in range(185)]
DICTIONARY = [f"user-{number}" for number in range(2_000)]


@pytest.fixture
def prefix() -> str:
    return f"test-{uuid.uuid4().hex}"


@pytest.fixture
def client(redis_address: str) -> Iterator[Any]:
    with closing(connect(redis_address)) as opened:
        yield opened


def _unkeyed(user_id: str) -> bytes:
    return hashlib.blake2b(user_id.encode(), digest_size=16, person=b"gars.forgotten").digest()


def _everything(client: Any, prefix: str) -> list[bytes]:
    """Return every name and value under a prefix."""
    content: list[bytes] = []
    for key in client.scan_iter(f"{prefix}:*", count=1000):
        content.append(key)
        match client.type(key):
            case b"hash":
                content += [part for pair in client.hgetall(key).items() for part in pair]
            case b"zset":
                content += client.zrange(key, 0, -1)
    return content


def _found(content: list[bytes], prefix: str) -> list[str]:
    """Search for each id of the dictionary as it is, hashed with every value there as the key, and by its slot."""
    text = b"\n".join(content)
    keys = [b"", *{one for one in content if 16 <= len(one) <= 64}]
    found = []
    for user_id in DICTIONARY:
        tag = b"deleted:{%s}" % slot_tag(user_id).encode()
        plain = _unkeyed(user_id)
        hashes = [
            hashed
            for key in keys
            for hashed in (
                hashlib.blake2b(user_id.encode(), digest_size=16, key=key).hexdigest(),
                hashlib.blake2b(plain, digest_size=16, key=key, person=b"gars.wrapped").hexdigest(),
            )
        ]
        if tag in text or plain.hex().encode() in text or any(one.encode() in text for one in hashes):
            found.append(user_id)
    assert prefix.encode() in text
    return found


def _write_as_before(client: Any, prefix: str, user_ids: list[str]) -> None:
    """Write tombstones as versions with unkeyed names did."""
    for number, user_id in enumerate(user_ids):
        name = f"{prefix}:tombstone:{{{slot_tag(user_id)}}}:{_unkeyed(user_id).hex()}"
        client.hset(name, mapping={"offset": number + 1, "time_ms": 5, "settled": number % 2, "forgotten": 1})
        client.zadd(f"{prefix}:tombstones", {name: number + 1})


def test_dictionary_attack_finds_no_user(redis_address: str, prefix: str, client: Any, tmp_path: Path) -> None:
    file = tmp_path / "redis.key"
    with closing(RedisTombstones(redis_address, prefix=prefix, key_file=file)) as stones:
        for user_id in DELETED:
            stones.put(user_id, Tombstone(offset=1, time_ms=1))
    with closing(RedisStateStore(redis_address, prefix=prefix, key_file=file)) as states:
        for user_id in DELETED:
            states.forget(user_id)
    content = _everything(client, prefix)
    found = _found(content, prefix)
    print(f"{len(found)} of {len(DELETED)} deleted ids found by a dictionary of {len(DICTIONARY)}")
    assert found == []
    assert file.stat().st_mode & 0o777 == 0o600
    # the search itself works: with the key everybody is found
    assert _found([*content, file.read_bytes()], prefix) == DELETED


def test_names_of_the_version_before_are_renamed(redis_address: str, prefix: str, client: Any, tmp_path: Path) -> None:
    _write_as_before(client, prefix, DELETED)
    assert _found(_everything(client, prefix), prefix) == DELETED
    file = tmp_path / "redis.key"
    with closing(RedisTombstones(redis_address, prefix=prefix, key_file=file)) as stones:
        assert stones.find(DELETED[0]) == Tombstone(offset=1, time_ms=5, settled=False)
        assert stones.find(DELETED[9]) == Tombstone(offset=10, time_ms=5, settled=True)
        assert stones.newest_offset() == len(DELETED)
        assert stones.is_unsettled()
        stones.settle_all()
        assert not stones.is_unsettled()
    assert _found(_everything(client, prefix), prefix) == []
    state = user_state.encode(state_after(1, DELETED[9]))
    writer = StateWriter(client, redis_address, keys=Keys(prefix), key_file=file)
    assert writer.write([StateWrite(DELETED[9], 1, state, offset=10)]) == 0
    assert writer.write_initial([(DELETED[9], state)]) == 0
    assert writer.write([StateWrite(DELETED[9], 1, state, offset=11)]) == 1


def test_a_renaming_that_was_interrupted_is_finished(redis_address: str, prefix: str, client: Any) -> None:
    """Both names are there: the later offset and time count, and what is not settled stays so."""
    with closing(RedisTombstones(redis_address, prefix=prefix)) as stones:
        stones.put(DELETED[1], Tombstone(offset=1, time_ms=9))
        stones.settle(DELETED[1])
    client.hdel(Keys(prefix).tombstone_key, "names")
    _write_as_before(client, prefix, DELETED[:3])
    with closing(RedisTombstones(redis_address, prefix=prefix)) as stones:
        assert stones.find(DELETED[1]) == Tombstone(offset=2, time_ms=9, settled=True)
        assert stones.find(DELETED[0]) == Tombstone(offset=1, time_ms=5, settled=False)
        assert stones.newest_offset() == 3
    assert not list(client.scan_iter(f"{prefix}:tombstone:*"))
    assert client.zcard(f"{prefix}:tombstones") == 3


def test_a_key_moves_from_redis_into_a_file(redis_address: str, prefix: str, client: Any, tmp_path: Path) -> None:
    with closing(RedisTombstones(redis_address, prefix=prefix)) as stones:
        stones.put("7", Tombstone(offset=3, time_ms=1))
    assert client.hget(Keys(prefix).tombstone_key, "key")
    file = tmp_path / "redis.key"
    with closing(RedisTombstones(redis_address, prefix=prefix, key_file=file)) as stones:
        assert stones.find("7") == Tombstone(offset=3, time_ms=1, settled=False)
    assert client.hget(Keys(prefix).tombstone_key, "key") is None
    with closing(RedisTombstones(redis_address, prefix=prefix, key_file=file)) as stones:
        assert stones.find("7") == Tombstone(offset=3, time_ms=1, settled=False)


def test_another_key_is_refused(redis_address: str, prefix: str, tmp_path: Path) -> None:
    """A process with another key would not recognise deleted users."""
    file = tmp_path / "redis.key"
    with closing(RedisTombstones(redis_address, prefix=prefix, key_file=file)) as stones:
        stones.put("7", Tombstone(offset=3, time_ms=1))
    refusals = []
    for wrong, content in ((None, b""), (tmp_path / "missing", b""), (tmp_path / "other", b"x" * 32)):
        if wrong and content:
            wrong.write_bytes(content)
        with (
            closing(RedisTombstones(redis_address, prefix=prefix, key_file=wrong)) as stones,
            pytest.raises(StorageError) as caught,
        ):
            stones.find("7")
        refusals.append(f"{caught.value.message} {caught.value.hint}")
    assert "is in a file" in refusals[0]
    assert "is missing" in refusals[1]
    assert "is another key" in refusals[2]
    assert all("GARS_TOMBSTONE_KEY" in one for one in refusals)
    assert not (tmp_path / "missing").exists()


@pytest.mark.parametrize("in_file", [False, True])
def test_a_redis_that_was_emptied_gets_its_key_back(
    redis_address: str, prefix: str, client: Any, tmp_path: Path, in_file: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "redis.key" if in_file else None
    monkeypatch.setattr(tombstone_names, "_CHECK_S", -1.0)
    with closing(RedisTombstones(redis_address, prefix=prefix, key_file=file)) as running:
        running.put("7", Tombstone(offset=3, time_ms=1))
        client.delete(*client.scan_iter(f"{prefix}:*"))
        running.put("7", Tombstone(offset=4, time_ms=1))
        with closing(RedisTombstones(redis_address, prefix=prefix, key_file=file)) as another:
            assert another.find("7") == Tombstone(offset=4, time_ms=1, settled=False)
