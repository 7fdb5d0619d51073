"""Fetching lists by name from a local server: requests, rate limits, and error messages."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from litestar.testing import TestClient

from gars.adapters.sites import polite
from gars.adapters.sites.anilist import AniList
from gars.adapters.sites.myanimelist import MyAnimeList
from gars.adapters.sites.polite import PoliteClient
from gars.bootstrap import open_service
from gars.config import from_environment
from gars.datasets.lists.parse import parse
from gars.domain.errors import FetchError, GarsError, InvalidInputError
from gars.domain.personal_list import PersonalList
from gars.entrypoints.api.app import create_app
from gars.entrypoints.cli import app as cli
from gars.testing.engine import FakeEngine

LISTS = Path(__file__).parents[2] / "fixtures" / "lists"


@dataclass
class Answer:
    status: int = 200
    body: bytes = b"{}"
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Asked:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes


class FakeSite:
    """Gives its answers one after the other, the last one for ever; remembers what it was asked."""

    def __init__(self) -> None:
        self.answers: list[Answer] = [Answer()]
        self.asked: list[Asked] = []
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                headers = {name.lower(): value for name, value in self.headers.items()}
                site.asked.append(Asked(self.command, self.path, headers, body))
                answer = site.answers.pop(0) if len(site.answers) > 1 else site.answers[0]
                self.send_response(answer.status)
                for name, value in {"Content-Length": str(len(answer.body)), **answer.headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(answer.body)

            do_POST = do_GET  # noqa: N815

            def log_message(self, *_: object) -> None:
                """Quiet."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class FakeTime:
    """Sleeping takes no time, and all of it."""

    def __init__(self) -> None:
        self.now = 100.0
        self.slept: list[float] = []

    def clock(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


@pytest.fixture
def site() -> Iterator[FakeSite]:
    running = FakeSite()
    yield running
    running.close()


@pytest.fixture
def time() -> FakeTime:
    return FakeTime()


@pytest.fixture
def client(time: FakeTime) -> Iterator[Callable[..., PoliteClient]]:
    clients: list[PoliteClient] = []

    def make(name: str = "AniList", patience_s: float = 100.0) -> PoliteClient:
        clients.append(PoliteClient(name, pause_s=2.0, patience_s=patience_s, clock=time.clock, sleep=time.sleep))
        return clients[-1]

    yield make
    for one in clients:
        one.close()


def message_and_hint(error: pytest.ExceptionInfo[Any]) -> str:
    raised = error.value
    assert isinstance(raised, GarsError)
    return f"{raised.message} | {raised.hint}"


def test_anilist_in_chunks(site: FakeSite, client: Callable[..., PoliteClient], time: FakeTime) -> None:
    first = json.loads((LISTS / "anilist.json").read_text())
    first["data"]["MediaListCollection"]["hasNextChunk"] = True
    second = {"data": {"MediaListCollection": {"hasNextChunk": False, "lists": []}}}
    site.answers = [Answer(body=json.dumps(one).encode()) for one in (first, second)]
    parsed = parse(AniList(client(), site.address).fetch("some body"))
    assert isinstance(parsed, PersonalList)
    assert len(parsed.entries) == 5
    asked = [json.loads(one.body)["variables"] for one in site.asked]
    assert asked == [{"name": "some body", "chunk": 1}, {"name": "some body", "chunk": 2}]
    assert site.asked[0].headers["user-agent"] == "gars"
    assert sum(time.slept) == pytest.approx(2.0), "requests are two seconds apart"


def test_myanimelist_in_pages(site: FakeSite, client: Callable[..., PoliteClient]) -> None:
    pages = [
        json.loads(part) for part in (LISTS / "myanimelist-api.json").read_text().replace("\n{", "\0{").split("\0")
    ]
    pages[0]["paging"]["next"] = f"{site.address}/v2/users/x/animelist?offset=2"
    site.answers = [Answer(body=json.dumps(page).encode()) for page in pages]
    parsed = parse(MyAnimeList(client("MyAnimeList"), "secret-id", f"{site.address}/v2/").fetch("a/b c"))
    assert isinstance(parsed, PersonalList)
    assert (len(parsed.entries), len(parsed.skipped), parsed.notes) == (3, 1, ())
    assert [one.path for one in site.asked] == [
        "/v2/users/a%2Fb%20c/animelist?fields=list_status&limit=1000&nsfw=true",
        "/v2/users/x/animelist?offset=2",
    ]
    assert [one.headers["x-mal-client-id"] for one in site.asked] == ["secret-id"] * 2


def test_the_client_id_goes_nowhere_else(site: FakeSite, client: Callable[..., PoliteClient]) -> None:
    site.answers = [Answer(body=b'{"data": [], "paging": {"next": "http://127.0.0.1:9/elsewhere"}}')]
    with pytest.raises(FetchError, match="sent us elsewhere"):
        MyAnimeList(client(), "secret-id", site.address).fetch("x")
    site.answers = [Answer(302, headers={"Location": "http://127.0.0.1:9/"})]
    with pytest.raises(FetchError, match="MyAnimeList answered 302"):
        MyAnimeList(client(), "secret-id", site.address).fetch("x")
    settings = from_environment({"GARS_MAL_CLIENT_ID": "secret-id"})
    assert settings.mal_client_id == "secret-id"
    assert "secret-id" not in repr(settings)


@pytest.mark.parametrize(
    ("status", "anilist", "myanimelist"),
    [
        (404, "AniList knows no user called 'x', or their list is private", "MyAnimeList knows no user called 'x'"),
        (403, "the list of 'x' on AniList is private | make it public", "the list of 'x' on MyAnimeList is private"),
        (401, "the list of 'x' on AniList is private", "does not accept the client id | check GARS_MAL_CLIENT_ID"),
    ],
)
def test_refusals(
    site: FakeSite, client: Callable[..., PoliteClient], status: int, anilist: str, myanimelist: str
) -> None:
    site.answers = [Answer(status)]
    with pytest.raises(InvalidInputError) as caught:
        AniList(client(), site.address).fetch("x")
    assert anilist in message_and_hint(caught)
    with pytest.raises(InvalidInputError) as caught:
        MyAnimeList(client(), "id", site.address).fetch("x")
    assert myanimelist in message_and_hint(caught)
    assert len(site.asked) == 2, "a refusal is not asked again"


def test_myanimelist_wants_to_know_who_asks(client: Callable[..., PoliteClient]) -> None:
    with pytest.raises(InvalidInputError) as caught:
        MyAnimeList(client(), "").fetch("x")
    assert "MyAnimeList gives lists only to programs it knows" in message_and_hint(caught)
    assert "https://myanimelist.net/apiconfig and set GARS_MAL_CLIENT_ID" in message_and_hint(caught)


def test_a_busy_site_is_waited_for(site: FakeSite, client: Callable[..., PoliteClient], time: FakeTime) -> None:
    site.answers = [Answer(429, headers={"Retry-After": "7"}), Answer(503), Answer(body=b'{"lists": []}')]
    assert client().ask("GET", site.address) == (200, b'{"lists": []}')
    assert 7.0 in time.slept
    assert len(site.asked) == 3


def test_retry_after_may_be_a_date(site: FakeSite, client: Callable[..., PoliteClient], time: FakeTime) -> None:
    soon = format_datetime(datetime.now(UTC) + timedelta(seconds=40), usegmt=True)
    site.answers = [Answer(429, headers={"Retry-After": soon}), Answer(body=b"x")]
    assert client().ask("GET", site.address) == (200, b"x")
    assert any(30 < seconds <= 40 for seconds in time.slept)


@pytest.mark.parametrize("header", ["60", "soon", ""])
def test_but_not_for_ever(site: FakeSite, client: Callable[..., PoliteClient], time: FakeTime, header: str) -> None:
    site.answers = [Answer(429, headers={"Retry-After": header} if header else {})]
    with pytest.raises(FetchError) as caught:
        client(patience_s=20).ask("GET", site.address)
    assert "AniList has had too many requests | try again in" in message_and_hint(caught)
    if header == "60":
        assert "in 60 seconds, or import a file" in message_and_hint(caught)
    assert sum(time.slept) <= 20


def test_a_site_that_is_down(site: FakeSite, client: Callable[..., PoliteClient]) -> None:
    site.answers = [Answer(500)]
    with pytest.raises(FetchError) as caught:
        client().ask("GET", site.address)
    assert message_and_hint(caught) == "AniList does not answer: it answered 500 | try again later, or import a file"
    assert len(site.asked) == 4
    with pytest.raises(FetchError, match="AniList does not answer: "):
        client().ask("GET", "http://127.0.0.1:9")


def test_many_at_once_take_turns(site: FakeSite, client: Callable[..., PoliteClient], time: FakeTime) -> None:
    shared = client(patience_s=3)
    shared.ask("GET", site.address)
    shared.ask("GET", site.address)
    assert sum(time.slept) == pytest.approx(2.0)
    time.now -= 5  # others have taken the next turns
    with pytest.raises(FetchError) as caught:
        shared.ask("GET", site.address)
    assert "many lists of AniList are being fetched | try again in a minute" in message_and_hint(caught)


def test_an_endless_answer(
    site: FakeSite, client: Callable[..., PoliteClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(polite, "MAX_BYTES", 1000)
    site.answers = [Answer(body=b"x" * 1001)]
    with pytest.raises(FetchError, match="AniList sent more than 1,000 bytes"):
        client().ask("GET", site.address)


def test_any_body_is_fetched_and_a_web_page_is_refused(site: FakeSite, client: Callable[..., PoliteClient]) -> None:
    site.answers = [Answer(body=b"<html>maintenance</html>")]
    assert AniList(client(), site.address).fetch("x") == b"<html>maintenance</html>"
    assert MyAnimeList(client(), "id", site.address).fetch("x") == b"<html>maintenance</html>"
    with pytest.raises(InvalidInputError, match="this is a web page, not a list"):
        parse(b"<html>maintenance</html>")


FETCH = "/api/v1/lists/fetch?site=anilist&name=somebody&user_id=fan"


def test_over_http_only_where_it_is_allowed(site: FakeSite, tmp_path: Path) -> None:
    site.answers = [Answer(body=(LISTS / "anilist.json").read_bytes())]
    where = {"GARS_ANILIST_URL": site.address}
    service = open_service(from_environment(where, home=tmp_path), FakeEngine())
    with TestClient(create_app(service)) as http:
        answer = http.post(FETCH)
        assert answer.status_code == 403
        assert answer.json()["error"]["code"] == "forbidden"
        assert "this service does not fetch lists from other sites" in answer.json()["error"]["message"]
        assert "GARS_FETCH_LISTS=on" in answer.json()["error"]["hint"]
        assert site.asked == []
        assert http.get("/api/v1/about").json()["list_sites"] == []
    service.close()

    service = open_service(from_environment({**where, "GARS_FETCH_LISTS": "on"}, home=tmp_path), FakeEngine())
    with TestClient(create_app(service)) as http:
        assert http.get("/api/v1/about").json()["list_sites"] == ["anilist"], "MyAnimeList needs a client id"
        body = http.post(FETCH).json()
        assert (body["source"], body["taken"], body["events"]) == ("AniList list", 2, 3)
        site.answers = [Answer(404)]
        error = http.post(FETCH)
        assert (error.status_code, error.json()["error"]["code"]) == (400, "unknown_list")
        assert "AniList knows no user called 'somebody'" in error.json()["error"]["message"]
        site.answers = [Answer(302)]
        error = http.post(FETCH)
        assert (error.status_code, error.json()["error"]["code"]) == (502, "fetch_failed")
        assert http.post(FETCH.replace("anilist", "elsewhere")).status_code == 400
    service.close()


def test_from_the_command_line(
    site: FakeSite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    site.answers = [Answer(body=(LISTS / "anilist.json").read_bytes())]
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        monkeypatch.setenv("GARS_PORT", str(free.getsockname()[1]))
    monkeypatch.setenv("GARS_ANILIST_URL", site.address)
    monkeypatch.setenv("GARS_HOME", str(tmp_path))
    words = ["fetch", "anilist", "somebody", "--user", "me", "--engine-factory", "gars.testing.engine:make"]
    monkeypatch.setattr("sys.argv", ["gars", "lists", *words])
    with pytest.raises(SystemExit) as stopped:
        cli.main()
    assert not stopped.value.code
    assert "2 of 5 titles taken for me from this AniList list (3 events)" in capsys.readouterr().out
    monkeypatch.setattr("sys.argv", ["gars", "lists", *words[:1], "myanimelist", *words[2:]])
    with pytest.raises(SystemExit) as stopped:
        cli.main()
    assert stopped.value.code == 1
    assert "GARS_MAL_CLIENT_ID" in capsys.readouterr().err
