"""One trace for a list, across the api, recall and rank; nothing of a user in it, and nothing loaded without it."""

from __future__ import annotations

import logging
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from litestar.testing import TestClient
from litestar.types import ASGIApp, Receive, Send

from gars.adapters.services.http import HttpRank, HttpRecall
from gars.application.recommend.stage_messages import CONTENT_TYPE
from gars.bootstrap import open_service
from gars.bootstrap.stages import open_stage
from gars.bootstrap.traces import open_tracer
from gars.config import from_environment
from gars.domain.errors import InvalidInputError, MissingExtraError
from gars.entrypoints.api.app import create_app
from gars.entrypoints.edge.app import Edge
from gars.entrypoints.edge.traces import TracedApp
from gars.entrypoints.stages.app import create_app as create_stage
from gars.runtime import tracing
from gars.testing.engine import FakeEngine
from gars.testing.memory import MemoryStateStore
from gars_test_support.collector import Collector
from gars_test_support.server import ServerProcess
from gars_test_support.traces import Spans, recorded_spans

TRACE, CALLER = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
TRACEPARENT = f"00-{TRACE}-{CALLER}-01"
USER = "reader-4711"
LIST = "/api/v1/users/{user_id}/recommendations"
PATH = LIST.format(user_id=USER)


def traced(app: ASGIApp, *, client: str = "127.0.0.1", token: str = "") -> ASGIApp:
    """The application behind the edge, as a server calls it for a client of this address."""
    settings = from_environment({"GARS_SERVICE_TOKEN": token, "GARS_ALLOWED_HOSTS": "testserver.local"})
    inner = TracedApp(
        Edge(app, settings, count=lambda *_: None),
        trusted_proxies=settings.trusted_proxies.split(","),
        service_token=settings.service_token,
    )

    async def from_client(scope: Any, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            scope["client"] = (client, 1)
        await inner(scope, receive, send)

    return from_client


@pytest.fixture
def spans() -> Iterator[Spans]:
    with recorded_spans() as recorded:
        yield recorded


class ToApplication(httpx.BaseTransport):
    """Carries the calls of a client to an application of this process."""

    def __init__(self, application: TestClient[Any]) -> None:
        self._application = application
        self.is_away = False

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if self.is_away:
            raise httpx.ConnectError("nothing listens there")
        headers = {name: value for name, value in request.headers.items() if name != "host"}
        answer = self._application.request(request.method, request.url.path, content=request.read(), headers=headers)
        return httpx.Response(answer.status_code, headers={"Content-Type": CONTENT_TYPE}, content=answer.content)


@dataclass
class Staged:
    """The api, and recall and rank behind it, each with routes and threads of its own."""

    client: TestClient[Any]
    to_rank: ToApplication


@pytest.fixture
def staged(tmp_path: Path, engine: FakeEngine, spans: Spans) -> Iterator[Staged]:
    nowhere = "http://127.0.0.1:9"
    given = {"GARS_RECALL": nowhere, "GARS_RANK": nowhere, "GARS_RANK_BUDGET_MS": "30000"}
    service = open_service(from_environment(given, home=tmp_path), engine)
    settings = from_environment({}, home=tmp_path)
    recall = open_stage(settings, engine, part="recall", states=MemoryStateStore())
    rank = open_stage(settings, engine, part="rank", states=MemoryStateStore())
    with (
        TestClient(traced(create_stage(recall, "recall"))) as recall_client,
        TestClient(traced(create_stage(rank, "rank"))) as rank_client,
        TestClient(traced(create_app(service))) as client,
    ):
        to_recall, to_rank = ToApplication(recall_client), ToApplication(rank_client)
        for called, to in ((service.recall, to_recall), (service.rank, to_rank)):
            assert isinstance(called, (HttpRecall, HttpRank))
            called._http = httpx.Client(base_url=nowhere, headers=called._http.headers, transport=to)
        yield Staged(client, to_rank)
    service.close()
    recall.current.close()
    rank.current.close()


def test_a_list_is_one_trace_across_the_services(staged: Staged, spans: Spans) -> None:
    answer = staged.client.get(PATH, headers={"traceparent": TRACEPARENT})
    assert answer.status_code == 200
    assert answer.json()["fallback"] is None
    assert spans.trace_ids() == {int(TRACE, 16)}
    server = spans.named(f"GET {LIST}")
    assert server.parent is not None
    assert f"{server.parent.span_id:016x}" == CALLER
    called = [span for span in spans.all() if span.name.startswith("POST ")]
    assert sorted(f"{span.kind.name} {span.name}" for span in called) == [
        "CLIENT POST /api/v1/rank", "CLIENT POST /api/v1/recall",
        "SERVER POST /api/v1/rank", "SERVER POST /api/v1/recall",
    ]  # fmt: skip
    by_id = {span.context.span_id: span for span in spans.all() if span.context}
    lines = [
        " < ".join(f"{span.kind.name} {span.name}" for span in _upwards(of, by_id))
        for of in called
        if of.kind.name == "SERVER"
    ]
    assert sorted(lines) == [
        f"SERVER POST /api/v1/{name} < CLIENT POST /api/v1/{name} < INTERNAL {stage} < SERVER GET {LIST}"
        for name, stage in (("rank", "ranking"), ("recall", "retrieval"))
    ]
    states = [span for span in spans.all() if span.name == "state"]
    assert states
    assert all(by_id[span.parent.span_id] is server for span in states if span.parent)


def _upwards(span: Any, by_id: dict[int, Any]) -> list[Any]:
    line = [span]
    while (parent := line[-1].parent) is not None and parent.span_id in by_id:
        line.append(by_id[parent.span_id])
    return line


def test_spans_have_no_user_ids(staged: Staged, spans: Spans) -> None:
    staged.client.get(PATH, params={"k": 3})
    staged.client.post("/clicks", json={"user_id": USER, "anime_id": 1}).raise_for_status()
    staged.client.get(f"/api/v1/users/{USER}/none")
    staged.client.get(PATH, params={"genre": f"no {USER}"})
    assert len(spans.all()) > 10
    assert USER not in spans.written()
    server = spans.named("POST /clicks")
    assert server.attributes is not None
    assert server.attributes["http.response.status_code"] == 202
    assert server.attributes["gars.request_id"]


def test_a_cached_answer_has_its_route(staged: Staged, spans: Spans) -> None:
    staged.client.post("/clicks", json={"user_id": USER, "anime_id": 1}).raise_for_status()
    first, second = (staged.client.get(PATH) for _ in range(2))
    assert second.json()["request_id"] == first.json()["request_id"]
    assert [span.name for span in spans.all()].count(f"GET {LIST}") == 2
    assert len(spans.trace_ids()) == 3


def test_a_stage_that_is_away_is_an_error_of_its_call(staged: Staged, spans: Spans) -> None:
    staged.to_rank.is_away = True
    assert staged.client.get(PATH).json()["fallback"] == "retrieval"
    call = spans.named("POST /api/v1/rank")
    assert call.status.status_code.name == "ERROR"
    assert call.attributes is not None
    assert call.attributes["error.type"] == "StageError"
    assert call.events == ()


@pytest.mark.parametrize(
    ("client", "token", "sent", "continues"),
    [
        ("127.0.0.1", "", "", True),
        ("192.0.2.7", "", "", False),
        ("192.0.2.7", "a long random word", "a long random word", True),
        ("192.0.2.7", "a long random word", "another", False),
    ],
)
def test_traces_are_continued_for_trusted_callers(
    client: str, token: str, sent: str, continues: bool, spans: Spans, tmp_path: Path, engine: FakeEngine
) -> None:
    service = open_service(from_environment({}, home=tmp_path), engine)
    with TestClient(traced(create_app(service), client=client, token=token)) as opened:
        opened.get("/api/v1/health/live", headers={"traceparent": TRACEPARENT, "Authorization": f"Bearer {sent}"})
    service.close()
    assert (spans.trace_ids() == {int(TRACE, 16)}) is continues


def test_share_of_traces_is_decided_by_the_first_service(tmp_path: Path, engine: FakeEngine) -> None:
    service = open_service(from_environment({}, home=tmp_path), engine)
    with recorded_spans(share=0) as spans, TestClient(traced(create_app(service))) as opened:
        opened.get(PATH)
        assert spans.all() == ()
        opened.get(PATH, headers={"traceparent": TRACEPARENT})
        assert spans.trace_ids() == {int(TRACE, 16)}
    service.close()


def test_log_lines_have_the_trace(spans: Spans, staged: Staged, caplog: pytest.LogCaptureFixture) -> None:
    from gars.bootstrap import logs

    caplog.handler.addFilter(logs._keep_ids)
    with caplog.at_level(logging.INFO, logger="gars.entrypoints.api.metrics"):
        staged.client.get("/api/v1/about", headers={"traceparent": TRACEPARENT})
    assert {getattr(record, "trace_id", None) for record in caplog.records if record.name.startswith("gars")} == {TRACE}


@pytest.mark.parametrize("address", ["127.0.0.1:4318", "grpc://127.0.0.1:4317", "http://", "http://a:x"])
def test_an_address_without_a_collector_is_refused(address: str) -> None:
    with pytest.raises(InvalidInputError, match="is no address of a collector"):
        open_tracer(address, service="serve", share=1)


def test_a_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith("gars.adapters.opentelemetry")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.trace", None)
    with pytest.raises(MissingExtraError) as caught:
        open_tracer("http://127.0.0.1:9", service="serve", share=1)
    assert caught.value.hint == "pip install 'gars[trace]'"


def test_without_the_setting_nothing_is_imported(tmp_path: Path) -> None:
    """A whole list by the routes of the api, and all modules of a cluster's processes."""
    script = f"""
import sys
sys.modules.update(dict.fromkeys(["opentelemetry", "requests"]))  # importing them fails
from litestar.testing import TestClient
import gars.adapters.kafka.event_log, gars.adapters.kafka.stream, gars.adapters.redis.state_writer
import gars.entrypoints.feature_job, gars.entrypoints.api.server, gars.entrypoints.cli.worker
from gars.bootstrap import open_service
from gars.bootstrap.traces import tracing_by
from gars.config import from_environment
from gars.entrypoints.api.app import create_app
from gars.testing.engine import FakeEngine
settings = from_environment({{}}, home=__import__("pathlib").Path({str(tmp_path)!r}))
with tracing_by(settings, "serve"):
    service = open_service(settings, FakeEngine())
    with TestClient(create_app(service)) as client:
        print(client.get({PATH!r}).status_code)
    service.close()
print([name for name in sys.modules if name.startswith("gars.adapters.opentelemetry")])
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120, check=False)
    assert done.stdout == "200\n[]\n", done.stderr


@pytest.mark.slow
def test_a_process_exports_its_spans_before_it_ends(tmp_path: Path) -> None:
    collector = Collector()
    collector.may_answer.set()
    main = "from gars.entrypoints.cli.app import main; main()"
    command = [sys.executable, "-c", main, "serve", "--home", str(tmp_path), "--port", "0"]
    process = ServerProcess(
        [*command, "--engine-factory", "gars.testing.engine:make"], environment={"GARS_TRACES": collector.address}
    )
    answer = httpx.get(process.address + PATH, timeout=60, trust_env=False)
    assert process.stop() == 0, process.output
    collector.close()
    assert answer.status_code == 200
    assert f"gars-serve GET {LIST}" in collector.names
    assert "gars-serve state" in collector.names


def test_without_a_tracer_there_is_no_span() -> None:
    assert tracing.begin("x", parent={"traceparent": TRACEPARENT}) is None
    with tracing.spanning("x") as span:
        assert span is None
    assert tracing.carrying(print) is print
