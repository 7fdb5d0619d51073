"""Recall and rank as services: what they say by themselves, and lists that survive each of them dying."""

from __future__ import annotations

import re
import sys
import threading
from collections.abc import Iterator
from dataclasses import fields
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import msgspec
import numpy as np
import pytest
from litestar.testing import TestClient

from gars.adapters.services.http import HttpRecall
from gars.application.recommend.stage_messages import (
    CONTENT_TYPE,
    Array,
    ToRank,
    Wanted,
    encode,
    pack_found,
    pack_history,
    unpack_found,
    unpack_history,
)
from gars.application.recommend.stages import Found
from gars.bootstrap.stages import StageService, open_stage
from gars.config import from_environment
from gars.domain.candidates import SERVICE_DEFAULTS, Filters
from gars.domain.errors import InvalidInputError, StageError
from gars.domain.history import Rating, from_ratings
from gars.domain.user_state import Row, initial
from gars.entrypoints.stages.app import create_app
from gars.runtime.live_service import LiveService
from gars.runtime.request_ids import request_id
from gars.testing.engine import FakeEngine
from gars.testing.memory import MemoryStateStore
from gars_test_support.patience import until
from gars_test_support.server import ServerProcess

MAIN = [sys.executable, "-c", "from gars.entrypoints.cli.app import main; main()", "serve"]
FACTORY = ["--port", "0", "--engine-factory", "gars.testing.engine:make"]
NOWHERE = "redis://127.0.0.1:9/0"
TOKEN = "a long random word"


@pytest.fixture
def recall(tmp_path: Path, engine: FakeEngine) -> Iterator[LiveService[StageService]]:
    running = open_stage(from_environment({}, home=tmp_path), engine, part="recall", states=MemoryStateStore())
    yield running
    running.current.close()


@pytest.fixture
def rank(tmp_path: Path, engine: FakeEngine) -> Iterator[LiveService[StageService]]:
    running = open_stage(from_environment({}, home=tmp_path), engine, part="rank", states=MemoryStateStore())
    yield running
    running.current.close()


def test_the_missions_routes(
    recall: LiveService[StageService], rank: LiveService[StageService], engine: FakeEngine
) -> None:
    state = initial("7", [Row(1, 9, None, None)])
    for running in (recall, rank):
        running.current.states.put_initial([state])
    with TestClient(create_app(recall, "recall")) as first, TestClient(create_app(rank, "rank")) as second:
        found, ranked = (one.get("/", params={"user_id": "7"}).json() for one in (first, second))
        assert found == ranked  # the double has one order
        assert len(ranked) > 3
        assert 1 not in ranked
        stranger = second.get("/", params={"user_id": "unknown-user"}).json()
        assert stranger != ranked
        assert first.get("/sim", params={"anime_id": 1}).json() == [i for i, _ in engine.similar_ids(1, k=20)]
        assert first.get("/sim", params={"anime_id": 10**6}).status_code == 404
        assert second.get("/sim", params={"anime_id": 1}).status_code == 404
        assert first.get("/").status_code == 400
        assert first.get("/", params={"user_id": "7", "k": 3}).status_code == 400


def test_arrays_of_messages_are_writable_as_those_of_a_warm_up(engine: FakeEngine) -> None:
    """Kernels are compiled anew for read-only arrays, which the first list after a start would wait for."""
    history = from_ratings([Rating(1, 9)])
    candidates = engine.retrieve(history, want=5, filters=SERVICE_DEFAULTS)
    sent = encode(
        ToRank(
            history=pack_history(history),
            found=pack_found(Found("fake-1", candidates)),
            k=5,
            offset=0,
            filters=SERVICE_DEFAULTS,
        )
    )
    received = msgspec.msgpack.decode(sent, type=ToRank)
    for decoded, made in (
        (unpack_history(received.history), history),
        (unpack_found(received.found).candidates, candidates),
    ):
        arrays = {field.name: getattr(made, field.name) for field in fields(made)}
        arrays = {name: array for name, array in arrays.items() if isinstance(array, np.ndarray)}
        assert arrays
        for name, array in arrays.items():
            np.testing.assert_array_equal(getattr(decoded, name), array)
            assert getattr(decoded, name).flags.writeable, name


def test_health_metrics_and_documentation(recall: LiveService[StageService]) -> None:
    with TestClient(create_app(recall, "recall")) as client:
        assert client.get("/api/v1/health/live").status_code == 200
        assert client.get("/api/v1/health/ready").json()["checks"] == {"model": "ok"}
        assert 'gars_model_info{data="unknown",trained="",version="fake-1"} 1.0' in client.get("/metrics").text
        assert {"/", "/sim", "/metrics"} <= set(client.get("/docs/openapi.json").json()["paths"])


def post(client: Any, message: object) -> httpx.Response:
    answer: httpx.Response = client.post(
        "/api/v1/recall", content=encode(message), headers={"Content-Type": CONTENT_TYPE}
    )
    return answer


def test_what_is_no_message_is_refused(recall: LiveService[StageService]) -> None:
    known = pack_history(from_ratings([Rating(1, 9)]))
    with TestClient(create_app(recall, "recall")) as client:
        assert post(client, Wanted(history=known, want=5, filters=Filters())).status_code == 200
        wrong = (Array("|O", (1,), b"12345678"), Array("<i8", (9,), b""))
        objects, short = (Wanted(history={**known, "clicks": one}, want=5, filters=Filters()) for one in wrong)
        for bad, status, message in (
            # 409: a service of the caller's version may read it, and gives the list
            (b"text", 409, "no message of this version"),
            (Wanted(history={}, want=5, filters=Filters()), 409, "columns  in place of"),
            (objects, 409, "array"),
            (short, 409, "reshape"),
            (Wanted(history=known, want=5, filters=Filters(), model_version="fake-2"), 409, "model fake-2, and fake-1"),
            (Wanted(history=known, want=0, filters=Filters()), 400, "0 places"),
            (Wanted(history=known, want=5, filters=Filters(types=("?",))), 400, "unknown type"),
        ):
            answer = post(client, bad)
            assert answer.status_code == status, bad
            assert message in answer.json()["error"]["message"]


def test_between_services_a_token_is_asked_for(tmp_path: Path, engine: FakeEngine) -> None:
    settings = from_environment({"GARS_SERVICE_TOKEN": TOKEN}, home=tmp_path)
    running = open_stage(settings, engine, part="recall", states=MemoryStateStore())
    message = Wanted(history=pack_history(from_ratings([])), want=5, filters=SERVICE_DEFAULTS)
    with TestClient(create_app(running, "recall")) as client:
        assert post(client, message).status_code == 401
        client.headers["Authorization"] = f"Bearer {TOKEN}"
        assert post(client, message).status_code == 200
    running.current.close()


def test_states_that_another_process_keeps(tmp_path: Path, engine: FakeEngine) -> None:
    with pytest.raises(InvalidInputError, match="GARS_STATE_STORE is not Redis") as caught:
        open_stage(from_environment({}, home=tmp_path), engine, part="recall")
    assert "redis://" in (caught.value.hint or "")


@pytest.mark.parametrize("name", ["GARS_RECALL", "GARS_RANK"])
def test_addresses_that_are_none(tmp_path: Path, engine: FakeEngine, name: str) -> None:
    from gars.bootstrap import open_service

    with pytest.raises(InvalidInputError, match=f"{name}='redis://x:1'"):
        open_service(from_environment({name: "redis://x:1"}, home=tmp_path), engine)


class Cluster:
    """The api, recall and rank, each a process."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._environment = {"GARS_HOME": str(home), "GARS_STATE_STORE": NOWHERE, "GARS_SERVICE_TOKEN": TOKEN}
        self.recall, self.rank = self.stage("recall"), self.stage("rank")
        self.api = ServerProcess(
            [*MAIN, *FACTORY],
            environment={
                "GARS_HOME": str(home),
                "GARS_SERVICE_TOKEN": TOKEN,
                "GARS_LIST_CACHE": "0",
                "GARS_RANK_BUDGET_MS": "30000",
                "GARS_RETRIEVAL_BUDGET_MS": "30000",
                "GARS_RECALL": self.recall.address,
                "GARS_RANK": self.rank.address,
            },
        )
        self.client = httpx.Client(
            base_url=self.api.address, timeout=60, headers={"Authorization": f"Bearer {TOKEN}"}, trust_env=False
        )

    def stage(self, part: str, port: str = "0") -> ServerProcess:
        command = [*MAIN, part, "--port", port, *FACTORY[2:]]
        return ServerProcess(command, environment=self._environment)

    def list_of(self, user_id: str) -> Any:
        answer = self.client.get(f"/api/v1/users/{user_id}/recommendations", params={"k": 5})
        assert answer.status_code == 200, answer.text
        return answer.json()

    def warnings(self) -> dict[str, str]:
        answer = self.client.get("/api/v1/health/ready")
        assert answer.status_code == 200
        warnings: dict[str, str] = answer.json()["warnings"]
        return warnings

    def close(self) -> None:
        self.client.close()
        for server in (self.api, self.recall, self.rank):
            server.stop()


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    running = Cluster(tmp_path)
    yield running
    running.close()


def ids_of(made: Any) -> list[int]:
    return [one["anime"]["anime_id"] for one in made["items"]]


@pytest.mark.slow
def test_each_stage_dies_and_comes_back_and_no_reader_sees_an_error(cluster: Cluster) -> None:
    cluster.client.post("/clicks", json={"user_id": "fan", "anime_id": 1}).raise_for_status()
    whole = cluster.list_of("fan")
    assert whole["fallback"] is None
    assert cluster.warnings() == {}

    cluster.rank.stop(9)
    without_rank = cluster.list_of("fan")
    assert without_rank["fallback"] == "retrieval"
    assert ids_of(without_rank) == ids_of(whole)
    assert "gars serve rank" in str(cluster.warnings()) or "rank at" in cluster.warnings()["rank"]

    cluster.recall.stop(9)
    without_both = cluster.list_of("fan")
    assert without_both["fallback"] == "similar"
    assert without_both["items"]
    assert cluster.client.get("/", params={"user_id": "fan"}).status_code == 200
    away = re.findall(r'gars_fallback_levels_total{level="(\w+)",outcome="away"}', cluster.client.get("/metrics").text)
    assert sorted(away) == ["ranking", "retrieval"]

    ports = [server.address.rpartition(":")[2] for server in (cluster.recall, cluster.rank)]
    cluster.recall, cluster.rank = cluster.stage("recall", ports[0]), cluster.stage("rank", ports[1])
    until(lambda: cluster.list_of("fan")["fallback"] is None)
    assert cluster.list_of("fan")["items"] == whole["items"]


@pytest.mark.slow
def test_unknown_filter_is_a_client_error(cluster: Cluster) -> None:
    answer = cluster.client.get("/api/v1/users/fan/recommendations", params={"genre": "no such"})
    assert answer.status_code == 400
    assert "unknown genre" in answer.json()["error"]["message"]


def test_stages_get_the_id_of_the_request() -> None:
    received: list[str | None] = []

    class Answer(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            received.append(self.headers["X-Request-Id"])
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(500)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_arguments: object) -> None:
            """Log nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        recall = HttpRecall(f"http://127.0.0.1:{server.server_port}", timeout_s=60)
        for name in (None, "a-request-1"):
            token = request_id.set(name)
            with pytest.raises(StageError):
                recall.retrieve_ids(from_ratings([]), k=1, filters=Filters())
            request_id.reset(token)
        recall.close()
        server.shutdown()
        thread.join()
    assert received == [None, "a-request-1"]


def test_arrays_come_back_as_they_went() -> None:
    from gars.application.recommend.stage_messages import unpack_history

    known = from_ratings([Rating(1, 9), Rating(2, None)])
    sent = msgspec.msgpack.decode(encode(pack_history(known)), type=dict[str, Array])
    back = unpack_history(sent)
    for name in ("anime_ids", "ratings", "weights", "hidden", "clicks", "unfinished", "dropped"):
        np.testing.assert_array_equal(getattr(back, name), getattr(known, name))
