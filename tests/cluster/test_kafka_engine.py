"""The launcher starts a real Kafka."""

from __future__ import annotations

from gars.adapters.kafka.topics import create_topics, problem
from gars.stack.kafka import Kafka
from gars.stack.running import Running


def test_it_is_up_and_has_its_topics(kafka_running: Running, kafka: Kafka) -> None:
    assert kafka_running.problem() is None
    assert problem(kafka.address) is None
    assert create_topics(kafka.address) == []  # all there


def test_a_second_up_starts_nothing(kafka_running: Running) -> None:
    before = kafka_running.daemon("kafka").pid
    Running(kafka_running.engine).up()
    assert kafka_running.daemon("kafka").pid == before
