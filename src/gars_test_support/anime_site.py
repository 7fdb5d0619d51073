"""A local anime site to test crawlers: generated pages, and faults that a test injects by path."""

from __future__ import annotations

import hashlib
import json
import threading
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

PER_LISTING = 50
PER_LIST_PAGE = 300
FAULTS = ("429", "500", "503", "404", "cut", "slow", "challenge", "later")


@dataclass
class AnimeSite:
    """Contents of the site, injected faults, and the log of requests.

    ``faults`` maps a path to a queue of faults of ``FAULTS``, one for each request; once it is empty, requests succeed.
    ``lists`` maps a user name to entries, or to ``private``.
    """

    titles: int = 5
    robots: str = "User-agent: *\nDisallow: /anime/4\nAllow: /\n"
    faults: dict[str, deque[str]] = field(default_factory=dict)
    lists: Mapping[str, list[dict[str, Any]] | str] = field(default_factory=dict)
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    """Requests received: path with query, and headers by lower-case name."""
    address: str = ""
    _over: threading.Event = field(default_factory=threading.Event)

    def paths(self) -> list[str]:
        """Return the requested paths in order."""
        return [path for path, _ in self.asked]


@contextmanager
def serving(site: AnimeSite) -> Iterator[AnimeSite]:
    """Serve on a free port of the loopback address; ``site.address`` is its URL."""
    server = _Server(("127.0.0.1", 0), _Handler)
    server.site = site
    site.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield site
    finally:
        site._over.set()
        server.shutdown()
        thread.join()
        server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    site: AnimeSite

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore errors of a connection, such as a client that disconnected."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    timeout = 20
    disable_nagle_algorithm = True

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Log nothing."""

    def do_GET(self) -> None:
        """Answer a request, or inject the next fault of its path."""
        site = self.server.site
        site.asked.append((self.path, {name.lower(): value for name, value in self.headers.items()}))
        path = urlsplit(self.path).path
        faults = site.faults.get(path)
        if faults:
            self._go_wrong(faults.popleft())
            return
        status, kind, body, headers = _answer(site, self.path)
        tag = f'"{hashlib.sha256(body.encode()).hexdigest()[:16]}"'
        if kind == "application/json" and status == 200 and self.headers.get("If-None-Match") == tag:
            status, body = 304, ""
        self._send(status, kind, body, {"ETag": tag, "Date": formatdate(usegmt=True), **headers})

    def _send(self, status: int, kind: str, body: str, headers: Mapping[str, str]) -> None:
        content = body.encode()
        self.send_response_only(status)
        for name, value in {"Content-Type": kind, **headers, "Content-Length": str(len(content))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def _go_wrong(self, fault: str) -> None:
        if fault == "cut":
            self.send_response_only(200)
            self.send_header("Content-Length", "100000")
            self.end_headers()
            self.wfile.write(b"<html>half a pa")
            self.close_connection = True
        elif fault == "slow":
            self.server.site._over.wait(self.timeout)
            self.close_connection = True
        elif fault == "later":
            self._send(429, "text/plain", "", {"Retry-After": "7200"})
        elif fault == "challenge":
            self._send(200, "text/html", '<div class="g-recaptcha">Are you a person?</div>', {})
        else:
            self._send(int(fault), "text/plain", "", {"Retry-After": "0"} if fault == "429" else {})


_HTML, _JSON = "text/html; charset=utf-8", "application/json"
_NOT_FOUND: tuple[int, str, str, dict[str, str]] = (404, "text/plain", "not here", {})


def _answer(site: AnimeSite, address: str) -> tuple[int, str, str, dict[str, str]]:
    """Return status, content type, body and headers of the answer to a path with query."""
    parts = urlsplit(address)
    query = {name: values[0] for name, values in parse_qs(parts.query).items()}
    match parts.path.strip("/").split("/"):
        case ["robots.txt"]:
            return 200, "text/plain", site.robots, {}
        case ["anime", number] if number.isdecimal() and _is_here(site, int(number)):
            return 301, _HTML, "", {"Location": f"/anime/{number}/Title_{number}"}
        case ["anime", number, _] if number.isdecimal() and _is_here(site, int(number)):
            return 200, _HTML, anime_page(int(number), site.titles), {}
        case ["topanime.php"]:
            return 200, _HTML, _ranking(site.titles, int(query.get("limit", "0"))), {}
        case ["anime", "season", _, _]:
            return 200, _HTML, "".join(map(_card, range(1, min(site.titles, 3) + 1))), {}
        case ["animelist", name, "load.json"]:
            return _list(site, name, int(query["offset"]))
        case ["v4", "anime", number, "full"] if _is_here(site, int(number)):
            return 200, _JSON, json.dumps({"data": _as_json(int(number))}), {}
        case ["v4", "top", "anime"]:
            first = (int(query["page"]) - 1) * PER_LISTING + 1
            ids = range(first, min(first + PER_LISTING, site.titles + 1))
            page = {"data": [_as_json(one) for one in ids], "pagination": {"has_next_page": ids.stop <= site.titles}}
            return 200, _JSON, json.dumps(page), {}
    return _NOT_FOUND


def _is_here(site: AnimeSite, number: int) -> bool:
    return 1 <= number <= site.titles


def _as_json(number: int) -> dict[str, Any]:
    return {"mal_id": number, "title": f"Title {number}", "members": number * 10, "aired": {"string": "Apr 2003 to ?"}}


def _list(site: AnimeSite, name: str, offset: int) -> tuple[int, str, str, dict[str, str]]:
    entries = site.lists.get(name)
    if entries is None:
        return _NOT_FOUND
    if isinstance(entries, str):
        return 400, _JSON, '{"errors":[{"message":"invalid request"}]}', {}
    return 200, _JSON, json.dumps(entries[offset : offset + PER_LIST_PAGE]), {}


def anime_page(number: int, titles: int) -> str:
    """Return the HTML page of a title: odd ids use the older layout of relations, even ones the newer."""
    follows = number % titles + 1
    if number % 2:
        tie = f'<tr><td>Sequel:</td><td><a href="/anime/{follows}/Title_{follows}">Title {follows}</a></td></tr>'
        ties = f'<table class="anime_detail_related_anime">{tie}</table>'
    else:
        tie = f'<div class="title"><a href="/anime/{follows}/Title_{follows}">Title {follows}</a></div>'
        ties = f'<div class="entries-tile"><div class="entry"><div class="relation">Sequel (TV)</div>{tie}</div></div>'
    lines = {
        "Japanese": f"題 {number}",
        "Type": "TV",
        "Episodes": str(number % 26 or "Unknown"),
        "Status": "Finished Airing",
        "Aired": ("Apr 3, 1998 to Apr 24, 1999", "2001", "Not available", "Apr 2003 to ?")[number % 4],
        "Studios": f'<a href="/anime/producer/{number % 7}/S">Studio {number % 7}</a>',
        "Genres": '<a href="/anime/genre/1/Action">Action</a>, <a href="/anime/genre/8/Drama">Drama</a>',
        "Duration": "24 min. per ep.",
        "Rating": "PG-13 - Teens 13 or older",
        "Score": f'<span itemprop="ratingValue">{5 + number % 50 / 10:.2f}</span>',
        "Ranked": f"#{number}",
        "Members": f"{number * 10:,}",
    }
    column = "".join(f'<div><span class="dark_text">{label}:</span> {text}</div>' for label, text in lines.items())
    synopsis = f'<p itemprop="description">The story of {number}.</p>'
    return f'<html><h1 class="title-name"><strong>Title {number}</strong></h1>{column}{synopsis}{ties}</html>'


def _ranking(titles: int, first: int) -> str:
    rows = "".join(
        f'<tr class="ranking-list"><td class="rank">{one}</td><td><h3><a href="/anime/{one}/Title_{one}">Title {one}'
        f'</a></h3><div class="information">TV (12 eps)<br>Apr 2003 - <br>{one * 10} members</div></td>'
        '<td class="score">7.10</td></tr>'
        for one in range(first + 1, min(first + PER_LISTING, titles) + 1)
    )
    more = f'<a class="link-blue-box next" href="?limit={first + PER_LISTING}">Next</a>'
    return f"<table>{rows}</table>{more if first + PER_LISTING < titles else ''}"


def _card(number: int) -> str:
    link = f'<a class="link-title" href="/anime/{number}/Title_{number}">Title {number}</a>'
    return f'<div class="seasonal-anime"><h2>{link}</h2></div>'
