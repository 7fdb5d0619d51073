"""Recall at several addresses: a call goes on to the next address while one is gone, hangs or has another model."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import msgspec
import pytest

from gars.adapters.services.http import HttpRecall
from gars.application.recommend.stage_messages import Wanted, encode
from gars.bootstrap.stages import open_recall
from gars.config import from_environment
from gars.domain.candidates import Filters
from gars.domain.errors import InvalidInputError, StageError
from gars.domain.history import from_ratings
from gars.runtime.free_ports import free_ports

EMPTY = from_ratings([])


class Recall:
    """Answers every call with its one id, or as it is set to."""

    def __init__(self, anime_id: int) -> None:
        self.calls: list[Wanted] = []
        self.status = 200
        self.hangs = False
        self.drops = False
        """Close the connection without an answer."""
        self._may_answer = threading.Event()
        recall = self

        class Answer(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                sent = self.rfile.read(int(self.headers["Content-Length"]))
                recall.calls.append(msgspec.msgpack.decode(sent, type=Wanted))
                if recall.hangs:
                    recall._may_answer.wait(60)
                if recall.drops:
                    recall.drops = False
                    self.close_connection = True
                    return
                error = {"error": {"code": "conflict", "message": "another model"}}
                body = encode([anime_id]) if recall.status == 200 else msgspec.json.encode(error)
                self.send_response(recall.status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_arguments: object) -> None:
                """Log nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
        self._server.daemon_threads = True  # a client keeps its connection
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()
        self.address = f"http://127.0.0.1:{self._server.server_port}"

    def close(self) -> None:
        self._may_answer.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture
def opened() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def start(opened: ExitStack) -> Callable[[int], Recall]:
    return lambda anime_id: opened.enter_context(closing(Recall(anime_id)))


@pytest.fixture
def client(opened: ExitStack) -> Callable[..., HttpRecall]:
    def make(*addresses: str, timeout_s: float = 30) -> HttpRecall:
        return opened.enter_context(closing(HttpRecall(*addresses, timeout_s=timeout_s)))

    return make


def called(recall: HttpRecall) -> int:
    """Return the id of the address that answered."""
    return int(recall.retrieve_ids(EMPTY, k=1, filters=Filters())[0])


def test_addresses_share_the_calls(start: Callable[[int], Recall], client: Callable[..., HttpRecall]) -> None:
    recall = client(start(1).address, start(2).address)
    assert [called(recall) for _ in range(4)] == [1, 2, 1, 2]


def test_one_that_is_gone_is_named_until_it_answers(
    start: Callable[[int], Recall], client: Callable[..., HttpRecall]
) -> None:
    gone = f"http://127.0.0.1:{free_ports(1)[0]}"
    recall = client(gone, start(2).address)
    assert [called(recall) for _ in range(3)] == [2, 2, 2]
    assert recall.problem is not None
    assert gone in recall.problem.message
    assert recall.problem.hint == "start it with: gars serve recall"


def test_one_of_another_model_is_asked_last(start: Callable[[int], Recall], client: Callable[..., HttpRecall]) -> None:
    other, same = start(1), start(2)
    other.status = 409
    recall = client(other.address, same.address)
    assert [called(recall) for _ in range(3)] == [2, 2, 2]
    assert len(other.calls) == 1  # it failed within the last second
    other.status, same.status = 200, 409
    assert called(recall) == 1
    assert recall.problem is not None
    assert "it answered 409: another model" in recall.problem.message


def test_one_that_hangs_costs_one_deadline(start: Callable[[int], Recall], client: Callable[..., HttpRecall]) -> None:
    hanging, healthy = start(1), start(2)
    hanging.hangs = True
    recall = client(hanging.address, healthy.address, timeout_s=0.2)
    with pytest.raises(StageError, match="ReadTimeout"):
        called(recall)
    assert not healthy.calls  # nothing was left of the deadline
    assert [called(recall) for _ in range(2)] == [2, 2]


def test_one_whose_machine_is_down_leaves_time_for_the_next(
    start: Callable[[int], Recall], client: Callable[..., HttpRecall], opened: ExitStack
) -> None:
    down = opened.enter_context(closing(socket.create_server(("127.0.0.1", 0), backlog=0)))
    address = down.getsockname()
    opened.enter_context(closing(socket.create_connection(address)))  # the queue is full: a further one gets no answer
    recall = client(f"http://127.0.0.1:{address[1]}", start(2).address, timeout_s=1)
    assert [called(recall) for _ in range(2)] == [2, 2]
    assert recall.problem is not None
    assert "ConnectTimeout" in recall.problem.message


def test_a_connection_that_ends_is_opened_again(
    start: Callable[[int], Recall], client: Callable[..., HttpRecall]
) -> None:
    only = start(1)
    recall = client(only.address)
    assert called(recall) == 1
    only.drops = True  # as a process that ended behind the address of many
    assert called(recall) == 1
    assert len(only.calls) == 3
    assert recall.problem is None


def test_all_away_the_last_error_is_raised(client: Callable[..., HttpRecall]) -> None:
    first, second = free_ports(2)
    recall = client(f"http://127.0.0.1:{first}", f"http://127.0.0.1:{second}")
    with pytest.raises(StageError, match=f"recall at http://127.0.0.1:{second} does not help: ConnectError"):
        called(recall)


def test_candidates_are_wanted_of_one_model(start: Callable[[int], Recall], client: Callable[..., HttpRecall]) -> None:
    only = start(1)
    with pytest.raises(StageError, match="ValidationError"):  # the double has no candidates
        client(only.address).retrieve(EMPTY, want=5, filters=Filters(), model_version="v2")
    assert only.calls[0].model_version == "v2"


def test_addresses_of_the_setting(start: Callable[[int], Recall]) -> None:
    settings = from_environment({"GARS_RECALL": f"{start(1).address}/, {start(2).address}"})
    opened = open_recall(settings)
    assert opened is not None
    with closing(opened):
        assert [opened.retrieve_ids(EMPTY, k=1, filters=Filters())[0] for _ in range(2)] == [1, 2]
    for bad in ("http://127.0.0.1:1,", "http://127.0.0.1:1,redis://127.0.0.1:2"):
        with pytest.raises(InvalidInputError, match="GARS_RECALL="):
            open_recall(from_environment({"GARS_RECALL": bad}))
