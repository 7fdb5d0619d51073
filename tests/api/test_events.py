"""Server-Sent Events against a real server: the streams are real sockets."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from granian.constants import Interfaces
from granian.server.embed import Server
from httpx_sse import EventSource

from gars.adapters.embedded.change_feed import MemoryChangeFeed
from gars.bootstrap import open_service
from gars.config import from_environment
from gars.domain.errors import OverloadedError
from gars.entrypoints.api.app import create_app
from gars.entrypoints.api.server import free_port
from gars.entrypoints.api.streams import Streams
from gars.testing.engine import FakeEngine
from gars_test_support.server import ServerProcess

DEADLINE_S = 20


@contextmanager
def tab(server: ServerProcess, user: str) -> Iterator[Iterator[tuple[str, dict[str, Any]]]]:
    """A page that listens: the pairs (event, data) as they come."""
    with (
        httpx.Client(timeout=DEADLINE_S) as http,
        http.stream("GET", f"{server.address}/api/v1/users/{user}/events") as response,
    ):
        assert response.headers["content-type"].startswith("text/event-stream")
        assert response.headers["cache-control"] == "private, no-store"
        yield ((event.event, json.loads(event.data)) for event in EventSource(response).iter_sse())


def click(server: ServerProcess, user: str, anime_id: int = 1) -> dict[str, Any]:
    answer = httpx.post(f"{server.address}/clicks", json={"user_id": user, "anime_id": anime_id}, timeout=DEADLINE_S)
    assert answer.status_code == 202
    body: dict[str, Any] = answer.json()
    return body


def test_hello_then_changed(server: ServerProcess) -> None:
    with tab(server, "sse") as events:
        assert next(events) == ("hello", {"user_id": "sse", "version": 0})
        accepted = click(server, "sse", 5)["accepted"]
        name, change = next(events)
        assert name == "changed"
        assert change.pop("accepted_ms") > 1_700_000_000_000
        assert change == {
            "user_id": "sse", "version": 1, "event_id": accepted[0], "kind": "click", "anime_id": 5
        }  # fmt: skip


def test_first_message_has_the_version_missed_while_away(server: ServerProcess) -> None:
    click(server, "late")
    click(server, "late")
    with tab(server, "late") as events:
        assert next(events) == ("hello", {"user_id": "late", "version": 2})


def test_every_tab_of_the_user_is_notified_and_no_other_user(server: ServerProcess) -> None:
    with ExitStack() as stack:
        mine = [stack.enter_context(tab(server, "many")) for _ in range(50)]
        other = stack.enter_context(tab(server, "somebody"))
        assert {next(events)[0] for events in [*mine, other]} == {"hello"}
        click(server, "many")
        assert [next(events)[1]["version"] for events in mine] == [1] * 50
        # while they all listen, everything else goes on
        assert httpx.get(f"{server.address}/?user_id=many", timeout=DEADLINE_S).status_code == 200
        click(server, "somebody")
        assert next(other)[1]["user_id"] == "somebody", "the first change a stranger hears is their own"


def test_a_malformed_user_gets_an_error_not_a_stream(server: ServerProcess) -> None:
    answer = httpx.get(f"{server.address}/api/v1/users/{'x' * 129}/events", timeout=DEADLINE_S)
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "invalid_input"


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(DEADLINE_S):
        while not condition():
            await asyncio.sleep(0.01)


def test_pages_that_leave_are_forgotten(tmp_path: Path) -> None:
    """The server runs in this process, where the feed can be asked who listens; leaving is a closed socket."""
    service = open_service(from_environment({"GARS_PING_MS": "20"}, home=tmp_path), FakeEngine())
    feed = service.feed
    assert isinstance(feed, MemoryChangeFeed)
    port = free_port("127.0.0.1", 0)
    url = f"http://127.0.0.1:{port}/api/v1/users/7/events"

    async def scene() -> None:
        server = Server(create_app(service), port=port, interface=Interfaces.ASGI, log_enabled=False)
        serving = asyncio.create_task(server.serve())
        transport = httpx.AsyncHTTPTransport(retries=20)  # until it listens
        async with httpx.AsyncClient(timeout=DEADLINE_S, transport=transport) as http:
            pages = [await http.send(http.build_request("GET", url), stream=True) for _ in range(20)]
            assert {page.status_code for page in pages} == {200}
            await until(lambda: feed.listening == 20)
            async with asyncio.timeout(DEADLINE_S):
                lines = pages[0].aiter_lines()
                while await anext(lines) != ": ping":
                    pass
            for page in pages:
                await page.aclose()
            await until(lambda: feed.listening == 0)
            # those who stay are sent home when the service stops
            stays = await http.send(http.build_request("GET", url), stream=True)
            await until(lambda: feed.listening == 1)
            feed.close()
            assert "event: hello" in (await stays.aread()).decode()
        server.stop()  # type: ignore[no-untyped-call]
        await serving

    asyncio.run(scene())
    service.close()


@pytest.mark.parametrize("setting", ["GARS_MAX_STREAMS", "GARS_MAX_STREAMS_EACH"])
def test_open_streams_are_bounded(tmp_path: Path, setting: str) -> None:
    """What is beyond the limit gets 503 at once; a page that leaves makes room. HEAD takes no place."""
    most = 3
    service = open_service(from_environment({setting: str(most)}, home=tmp_path), FakeEngine())
    port = free_port("127.0.0.1", 0)
    url = f"http://127.0.0.1:{port}/api/v1/users/7/events"
    app = create_app(service)
    streams: Streams = app.state.streams

    async def scene() -> None:
        server = Server(app, port=port, interface=Interfaces.ASGI, log_enabled=False)
        serving = asyncio.create_task(server.serve())
        transport = httpx.AsyncHTTPTransport(retries=20)  # until it listens
        async with httpx.AsyncClient(timeout=DEADLINE_S, transport=transport) as http:

            async def page() -> httpx.Response:
                return await http.send(http.build_request("GET", url), stream=True)

            for _ in range(2 * most):
                assert (await http.head(url)).status_code == 200
            await until(lambda: streams.open == 0)
            pages = [await page() for _ in range(most)]
            assert {one.status_code for one in pages} == {200}
            refused = [await page() for _ in range(5)]
            for one in refused:
                assert one.status_code == 503
                assert one.headers["retry-after"] == "1"
                error = json.loads(await one.aread())["error"]
                assert error["code"] == "overloaded"
                assert setting in error["hint"]
            print(f"{most} streams of {most + len(refused)} were opened, {len(refused)} refused")
            # everything else is answered
            assert (await http.get(f"http://127.0.0.1:{port}/api/v1/users/7/recommendations")).status_code == 200
            await pages[0].aclose()
            await until(lambda: streams.open == most - 1)
            pages[0] = await page()
            assert pages[0].status_code == 200
            for one in pages:
                await one.aclose()
            await until(lambda: streams.open == 0)
        server.stop()  # type: ignore[no-untyped-call]
        await serving

    asyncio.run(scene())
    service.close()


def test_streams_are_counted_by_address(tmp_path: Path) -> None:
    streams = Streams(from_environment({"GARS_MAX_STREAMS": "3", "GARS_MAX_STREAMS_EACH": "2"}, home=tmp_path))
    ends = [streams.add("10.0.0.1"), streams.add("10.0.0.1")]
    with pytest.raises(OverloadedError, match=r"of 10\.0\.0\.1"):
        streams.add("10.0.0.1")
    ends.append(streams.add("10.0.0.2"))
    with pytest.raises(OverloadedError, match="3 event streams are open"):
        streams.add("10.0.0.3")
    for end in [*ends, *ends]:
        end()
    assert streams.open == 0
    streams.add("10.0.0.1")
    assert streams.open == 1
    assert Streams(from_environment({"GARS_MAX_CONNECTIONS": "10"}, home=tmp_path))._most == 5
