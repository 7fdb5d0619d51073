"""Spans reach a collector by OTLP; one that is away costs spans, never a request."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from gars.adapters.opentelemetry.export import OncePerPause, open_tracer
from gars.bootstrap.traces import tracing_by
from gars.config import from_environment
from gars.runtime import tracing
from gars_test_support.collector import Collector
from gars_test_support.patience import until


@pytest.fixture
def collector() -> Iterator[Collector]:
    running = Collector()
    yield running
    running.close()


def record(name: str) -> None:
    assert tracing.tracer is not None
    tracing.tracer.start(name, "server", {}, {}).end()


def test_spans_are_exported_before_the_process_ends(collector: Collector) -> None:
    collector.may_answer.set()
    settings = from_environment({"GARS_TRACES": f"{collector.address}/"})
    with tracing_by(settings, "rank"):
        record("first")
        record("second")
    assert sorted(collector.names) == ["gars-rank first", "gars-rank second"]
    assert tracing.tracer is None


def test_a_stop_does_not_wait_longer_than_allowed(collector: Collector, caplog: pytest.LogCaptureFixture) -> None:
    settings = from_environment({"GARS_TRACES": collector.address, "GARS_STOP_TIMEOUT_MS": "50"})
    with tracing_by(settings, "serve"):
        record("last")
    assert collector.asked.wait(60)
    assert collector.names == []
    assert "the last spans were not exported within 0.1 s" in caplog.text


def test_recording_does_not_wait_for_a_collector(collector: Collector) -> None:
    tracer = open_tracer(collector.address, service="gars-serve", version="0", share=1)
    tracing.install(tracer)
    try:
        for number in range(600):  # more than a batch: the exporter now waits for an answer that does not come
            record(str(number))
        assert collector.asked.wait(60)
        for number in range(9000):  # more than the queue holds
            record(str(number))
        assert collector.names == []
    finally:
        tracing.install(None)
        tracer.close(0)


def test_a_collector_that_is_away_is_logged_once_a_minute(caplog: pytest.LogCaptureFixture) -> None:
    tracer = open_tracer("http://127.0.0.1:9", service="gars-serve", version="0", share=1)
    tracing.install(tracer)
    try:
        record("lost")
        until(lambda: "spans are not taken by http://127.0.0.1:9 and may be lost" in caplog.text)
        record("lost")
    finally:
        tracing.install(None)
        tracer.close(10)
    lines = [one for one in caplog.records if one.levelno >= logging.WARNING]
    assert len([one for one in lines if "are not taken by" in one.getMessage()]) == 1
    assert {one.name.partition(".")[0] for one in lines} == {"gars"}


def test_problems_in_between_are_counted(caplog: pytest.LogCaptureFixture) -> None:
    now = [0.0]
    handler = OncePerPause("http://a:1", now=lambda: now[0])
    for now[0] in (0.0, 1.0, 59.0, 61.0):
        handler.emit(logging.LogRecord("x", logging.WARNING, "", 0, "no %s", ("answer",), None))
    assert [one.getMessage().partition("lost: ")[2] for one in caplog.records] == [
        "no answer (0 more such lines before)",
        "no answer (2 more such lines before)",
    ]
