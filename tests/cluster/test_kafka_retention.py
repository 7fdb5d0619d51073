"""How long Kafka keeps what people did: set, changed, followed to the bytes on the disk; and who missed something."""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from confluent_kafka import Producer, TopicPartition
from confluent_kafka.admin import AdminClient, ConfigResource  # type: ignore[attr-defined]
from typer.testing import CliRunner

from gars.adapters.kafka import records
from gars.adapters.kafka.address import KafkaAddress
from gars.adapters.kafka.event_log import KafkaEventLog
from gars.adapters.kafka.stream import KafkaStream
from gars.adapters.kafka.topics import create_topics
from gars.entrypoints.cli.app import app as cli
from gars.runtime.free_ports import free_ports
from gars.stack.kafka import Kafka
from gars.stack.running import Running
from gars.testing.events import clicks, event
from gars_test_support.patience import until

DAY_MS = 24 * 3600 * 1000
SOMEBODY = "a-very-particular-person"


def fresh(kafka: Kafka) -> KafkaAddress:
    return KafkaAddress(kafka.address.bootstrap_servers, f"k-{uuid.uuid4().hex[:12]}")


def kept_ms(address: KafkaAddress) -> dict[str, tuple[str, str]]:
    admin = AdminClient({"bootstrap.servers": address.bootstrap_servers})
    topics = [address.interactions, address.impressions, address.dead_letters]
    until(lambda: set(topics) <= set(admin.list_topics(timeout=30).topics), "the topics to be known")
    asked = [ConfigResource(ConfigResource.Type.TOPIC, name) for name in topics]
    found = {one.name: answer.result(30) for one, answer in admin.describe_configs(asked).items()}
    return {name: (found[name]["retention.ms"].value, found[name]["segment.ms"].value) for name in topics}


def until_kept(address: KafkaAddress, kept: tuple[str, str]) -> None:
    """The controller has a setting at once, the broker that is asked a moment later."""
    until(lambda: set(kept_ms(address).values()) == {kept}, f"{kept} in the metadata of the broker")


def test_topics_follow_the_setting(kafka: Kafka) -> None:
    address = fresh(kafka)
    assert len(create_topics(address, kept_days=30)) == 3
    until_kept(address, (str(30 * DAY_MS), str(DAY_MS)))
    for days, kept in ((7, (str(7 * DAY_MS), str(DAY_MS))), (0, ("-1", str(7 * DAY_MS)))):
        assert create_topics(address, kept_days=days) == []
        until_kept(address, kept)


@pytest.fixture(scope="module")
def tidy(tmp_path_factory: pytest.TempPathFactory, engines: Path) -> Iterator[Kafka]:
    """A broker that looks every second for what is too old."""
    port, controller = free_ports(2)
    kafka = Kafka(
        folder=tmp_path_factory.mktemp("tidy"),
        engines=engines,
        port=port,
        controller_port=controller,
        kept_days=30,
        settings={
            "log.retention.check.interval.ms": "1000",
            "log.initial.task.delay.ms": "1000",
            "log.segment.delete.delay.ms": "100",
        },
    )
    running = Running(kafka)
    try:
        running.up()
        yield kafka
    finally:
        running.down()


def on_disk(kafka: Kafka, text: bytes) -> bool:
    """Whether a segment holds it; records are not compressed here."""
    for path in kafka.data.rglob("*.log*"):
        try:
            if text in path.read_bytes():
                return True
        except FileNotFoundError:  # let go of while we looked
            continue
    return False


def test_what_is_too_old_leaves_the_disk_and_no_replay_goes_without_it(
    tidy: Kafka, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    producer = Producer({"bootstrap.servers": tidy.address.bootstrap_servers})
    old_ms = int(time.time() * 1000) - 40 * DAY_MS
    sent = event(SOMEBODY, 1)

    def put(timestamp_ms: int) -> None:
        producer.produce(
            tidy.address.interactions,
            partition=0,
            key=sent.user_id.encode(),
            value=records.encode(sent),
            headers=records.header(records.EVENT),
            timestamp=timestamp_ms,
        )
        assert producer.flush(30) == 0

    put(old_ms)
    with closing(KafkaEventLog(tidy.address, timeout_s=30)) as log:
        log.append(recent := clicks(3, user_id="somebody-else"))
        until(lambda: not on_disk(tidy, SOMEBODY.encode()), "the bytes to leave the disk", within_s=120)
        assert log.gone() == 1
        assert [one for _, one in log.read()] == recent
    assert on_disk(tidy, b"somebody-else")

    environment = {
        "GARS_EVENT_LOG": tidy.url,
        "GARS_STATE_STORE": "redis://127.0.0.1:9/0",
        "GARS_TOMBSTONES": f"sqlite:{tmp_path / 'forgotten.sqlite'}",
        "GARS_HISTORY": "cassandra://127.0.0.1:9/gars",
    }
    refused = CliRunner().invoke(cli, ["replay", "--from", "kafka", "--home", str(tmp_path)], env=environment)
    assert refused.exit_code == 1
    output = f"{refused.output}{refused.exception}"
    assert "the 1 oldest record(s) are gone from Kafka, which keeps them for GARS_LOG_DAYS" in output
    hint = str(getattr(refused.exception, "hint", ""))
    assert "--from cassandra" in hint
    assert "--partial" in hint
    with caplog.at_level(logging.WARNING):
        recorded = tmp_path / "log.jsonl"
        words = ["replay", "--from", "kafka", "--to", str(recorded), "--home", str(tmp_path)]
        assert CliRunner().invoke(cli, words, env=environment).exit_code == 0
    assert len(recorded.read_text().splitlines()) == 3
    assert "the 1 oldest record(s) are gone" in caplog.text


def test_group_away_for_too_long_reports_what_it_missed(kafka: Kafka, caplog: pytest.LogCaptureFixture) -> None:
    address = fresh(kafka)
    create_topics(address, partitions=1)
    got: list[str] = []

    def follow(stream: KafkaStream, count: int) -> None:
        def there() -> bool:
            got.extend(one.event.event_id for one in stream.poll(timeout_s=0.2)[0] if one.event is not None)
            return len(got) >= count

        until(there, f"{count} events")
        stream.commit()

    with closing(KafkaEventLog(address, timeout_s=30)) as log:
        log.append(clicks(2, user_id="a"))
        with closing(KafkaStream(address, "worker", timeout_s=30)) as stream:
            follow(stream, 2)
            assert stream.gone == 0
        log.append([event("a", event_id=f"missed-{number}") for number in range(3)])
        admin = AdminClient({"bootstrap.servers": address.bootstrap_servers})
        for future in admin.delete_records([TopicPartition(address.interactions, 0, 5)]).values():
            future.result(30)
        log.append([event("a", event_id="kept")])
        with caplog.at_level(logging.ERROR), closing(KafkaStream(address, "worker", timeout_s=30)) as stream:
            follow(stream, 3)
            assert stream.gone == 3
    assert got == ["a-0", "a-1", "kept"]
    assert f"3 record(s) of {address.interactions}/0 are lost" in caplog.text
