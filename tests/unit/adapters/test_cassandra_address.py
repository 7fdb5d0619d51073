"""The parts of the Cassandra adapter and its engine that need no node."""

from __future__ import annotations

from pathlib import Path

import pytest

from gars.adapters.cassandra.address import CassandraAddress, parse
from gars.domain.errors import InvalidInputError
from gars.stack.cassandra import Cassandra, of_this_machine


def test_an_address_in_full() -> None:
    read = parse("GARS_HISTORY", "cassandra://me:p%40ss@a:9000,b:9000/shows?datacenter=dc1&replication=3")
    assert read == CassandraAddress(("a", "b"), 9000, "shows", "me", "p@ss", "dc1", 3)
    assert "p@ss" not in read.shown + repr(read)


def test_an_address_in_short() -> None:
    assert parse("GARS_HISTORY", "cassandra://localhost/gars") == CassandraAddress(("localhost",))


@pytest.mark.parametrize(
    "address",
    [
        "cassandra://h",
        "cassandra://h/Gars",
        "cassandra://h/g?replication=0",
        "cassandra://h/g?what=1",
        "kafka://h:1/g",
        "cassandra:///g",
    ],
)
def test_no_address(address: str) -> None:
    with pytest.raises(InvalidInputError, match="GARS_HISTORY: no address of a Cassandra") as caught:
        parse("GARS_HISTORY", address)
    assert "cassandra://HOST" in (caught.value.hint or "")


@pytest.mark.parametrize("address", ["cassandra://a:1,b:2/g", "cassandra://a:x/g"])
def test_one_port_for_all_hosts(address: str) -> None:
    with pytest.raises(InvalidInputError, match="the hosts of one Cassandra have one port"):
        parse("GARS_HISTORY", address)


def test_the_engine_writes_its_own_configuration(tmp_path: Path) -> None:
    engine = Cassandra(folder=tmp_path, engines=tmp_path / "engines", port=9999, storage_port=7777)
    engine.prepare()
    written = (tmp_path / "cassandra.yaml").read_text()
    assert "native_transport_port: 9999" in written
    assert '- seeds: "127.0.0.1:7777"' in written
    assert "/var/lib" not in written


def test_a_key_that_the_configuration_lost() -> None:
    with pytest.raises(ValueError, match=r"cassandra.yaml has 'rpc_address' 0 times"):
        of_this_machine("a: b\n", {"rpc_address": "x"})
