"""Cover images against an image host of our own: what is fetched, what is refused, what is kept and what is dropped."""

from __future__ import annotations

import gzip
import hashlib
import os
import socket
import struct
import threading
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from litestar.testing import TestClient
from msgspec.structs import replace

from gars.adapters.covers.fetcher import CoverFetcher, origins_of
from gars.adapters.covers.store import CoverFiles
from gars.adapters.covers.thumbnails import make_thumbnail
from gars.application.catalogue.covers import Covers
from gars.bootstrap import open_service
from gars.config import from_environment
from gars.domain.errors import FetchError, InvalidInputError
from gars.domain.pictures import read_header
from gars.entrypoints.api.app import create_app
from gars.testing.anime import sample_catalogue
from gars.testing.engine import FakeEngine


def png(width: int = 2, height: int = 3, *, before_data: bytes = b"") -> bytes:
    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    pixels = chunk(
        b"IDAT", zlib.compress((b"\0" + b"\x80" * 3 * width) * height if width * height < 1_000_000 else b"")
    )
    return b"\x89PNG\r\n\x1a\n" + header + (chunk(before_data, b"\0" * 8) if before_data else b"") + pixels


def jpeg(width: int, height: int) -> bytes:
    frame = b"\xff\xc2" + struct.pack(">HBHHB", 11, 8, height, width, 1) + b"\x01\x11\x00"
    return b"\xff\xd8\xff\xe0" + struct.pack(">H", 16) + b"JFIF\0" + b"\0" * 9 + b"\xff" + frame + b"\xff\xd9"


def webp(kind: bytes, content: bytes) -> bytes:
    return b"RIFF" + struct.pack("<I", 22) + b"WEBP" + kind + struct.pack("<I", 10) + content.ljust(10, b"\0")


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (png(225, 320), ("image/png", 225, 320)),
        (jpeg(225, 318), ("image/jpeg", 225, 318)),
        (webp(b"VP8 ", b"\0\0\0\x9d\x01\x2a" + struct.pack("<HH", 230, 345)), ("image/webp", 230, 345)),
        (webp(b"VP8L", b"\x2f" + struct.pack("<I", 229 | 344 << 14)), ("image/webp", 230, 345)),
        (webp(b"VP8X", b"\0\0\0\0\xe5\0\0\x58\x01\0"), ("image/webp", 230, 345)),
    ],
)
def test_type_and_size_are_read_from_the_header(content: bytes, expected: tuple[str, int, int]) -> None:
    assert read_header(content) == expected


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<!doctype html><title>maintenance</title>",
        b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
        b"GIF89a\x01\x00\x01\x00",
        png()[:20],
        png()[:40],
        png(before_data=b"acTL"),
        jpeg(225, 318)[:26],
        b"\xff\xd8\xff\xd9",
        b"\xff\xd8" + b"\xff" * 1000,
        webp(b"VP8X", b"\x02\0\0\0\xe5\0\0\x58\x01\0"),
    ],
)
def test_what_is_no_image_of_one_frame_is_refused(content: bytes) -> None:
    with pytest.raises(InvalidInputError, match="not a JPEG, PNG or WebP image"):
        read_header(content)


@pytest.mark.parametrize("content", [png(50_000, 50_000), png(5_999, 5_999), jpeg(65_535, 2), png(0, 3)])
def test_a_small_file_that_decodes_to_a_large_image_is_refused(content: bytes) -> None:
    assert len(content) < 1000
    with pytest.raises(InvalidInputError, match="pixels is not a cover"):
        read_header(content)


Respond = Callable[[BaseHTTPRequestHandler], None]


class ImageHost:
    """An HTTP server on loopback that answers each path as a test says, and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.headers: list[dict[str, str]] = []
        self.respond: dict[str, Respond] = {}
        host = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                host.asked.append(self.path)
                host.headers.append({name.lower(): value for name, value in self.headers.items()})
                with suppress(OSError):  # the client went away
                    host.respond[self.path](self)

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()
        self.origin = f"http://127.0.0.1:{self.server.server_port}"

    def serve(self, path: str, body: bytes, status: int = 200, **headers: str) -> str:
        def respond(handler: BaseHTTPRequestHandler) -> None:
            handler.send_response(status)
            for name, value in headers.items():
                handler.send_header(name.replace("_", "-"), value)
            if "Content_Length" not in headers:
                handler.send_header("Content-Length", str(len(body)))
            handler.end_headers()
            handler.wfile.write(body)

        self.respond[path] = respond
        return self.origin + path


@pytest.fixture
def host() -> Iterator[ImageHost]:
    made = ImageHost()
    yield made
    made.server.shutdown()
    made.server.server_close()


def fetcher(host: ImageHost, deadline_s: float = 15.0) -> CoverFetcher:
    return CoverFetcher([host.origin], deadline_s=deadline_s)


def test_an_image_is_fetched_without_a_word_on_the_reader(host: ImageHost) -> None:
    assert fetcher(host).fetch(host.serve("/a.png", png())) == png()
    assert set(host.headers[0]) <= {"host", "accept", "accept-encoding", "connection", "user-agent"}
    assert host.headers[0]["accept-encoding"] == "identity"


def test_a_redirect_is_followed_to_the_same_host_alone(host: ImageHost) -> None:
    other = ImageHost()
    stolen = other.serve("/secret.png", png())
    host.serve("/b.png", png())
    assert fetcher(host).fetch(host.serve("/here", b"", 302, Location="/b.png")) == png()
    for location in (
        stolen,
        "http://localhost:1/x",
        "file:///etc/passwd",
        "//127.0.0.1:1/x",
        "http://169.254.169.254/",
    ):
        with pytest.raises(FetchError, match="is not a host of covers"):
            fetcher(host).fetch(host.serve("/there", b"", 302, Location=location))
    assert other.asked == []
    with pytest.raises(FetchError, match="redirects more than 3 times"):
        fetcher(host).fetch(host.serve("/loop", b"", 302, Location="/loop"))
    other.server.shutdown()
    other.server.server_close()


@pytest.mark.parametrize(
    "address",
    [
        "https://example.org/x.jpg",
        "https://cdn.example/x.jpg",  # the port is another
        "http://cdn.example:8443/x.jpg",  # the scheme is another
        "https://user:pass@cdn.example:8443/x.jpg",
        "https://cdn.example:8443@evil.example/x.jpg",
        "https://cdn.example.evil.example:8443/x.jpg",
        "file:///etc/passwd",
        "ftp://cdn.example:8443/x",
        "/relative",
        "",
    ],
)
def test_only_hosts_that_are_allowed_are_asked(address: str) -> None:
    def never(*_: object) -> list[str]:
        raise AssertionError("a name was looked up")

    with pytest.raises(FetchError, match="is not a host of covers"):
        CoverFetcher(origins_of("https://cdn.example:8443"), resolve=never).fetch(address)


@pytest.mark.parametrize(
    "ip",
    [
        *("127.0.0.1", "10.1.2.3", "169.254.169.254", "192.168.0.1", "0.0.0.0", "224.0.0.1", "100.64.0.1"),
        *("::1", "fe80::1%eth0", "::ffff:127.0.0.1", "fd00::1", "64:ff9b::7f00:1"),
    ],
)
def test_an_allowed_name_with_a_private_address_is_refused(ip: str) -> None:
    with pytest.raises(FetchError, match="not on the internet"):
        CoverFetcher(origins_of("cdn.example"), resolve=lambda *_: ["93.184.216.34", ip]).fetch("https://cdn.example/x")


def test_the_address_that_was_checked_is_the_one_connected_to(host: ImageHost, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that is looked up a second time could have another address then (DNS rebinding)."""
    port = host.server.server_port
    looked_up: list[str] = []

    def resolve(name: str, _port: int) -> list[str]:
        looked_up.append(name)
        return ["127.0.0.1"]

    monkeypatch.setattr("gars.adapters.covers.fetcher._is_public", lambda _ip: True)
    host.serve("/a.png", png())
    fetch = CoverFetcher([f"http://cdn.invalid:{port}"], resolve=resolve).fetch
    assert fetch(f"http://cdn.invalid:{port}/a.png") == png()
    assert looked_up == ["cdn.invalid"]
    assert host.headers[0]["host"] == f"cdn.invalid:{port}"


def test_too_large_is_not_read_to_its_end(host: ImageHost) -> None:
    sent = 0

    def endless(handler: BaseHTTPRequestHandler) -> None:
        nonlocal sent
        handler.send_response(200)
        handler.send_header("Content-Length", str(50_000_000))
        handler.end_headers()
        while sent < 50_000_000:
            handler.wfile.write(b"\xff" * 65_536)
            sent += 65_536

    host.respond["/large"] = endless
    with pytest.raises(FetchError, match="larger than 2,000,000 bytes"):
        fetcher(host).fetch(host.origin + "/large")
    assert sent < 20_000_000  # what socket buffers hold


@pytest.mark.parametrize("part", ["header", "body"])
def test_a_slow_drip_ends_at_the_deadline(host: ImageHost, part: str) -> None:
    gone = threading.Event()

    def drip(handler: BaseHTTPRequestHandler) -> None:
        if part == "header":
            handler.wfile.write(b"HTTP/1.1 200 OK\r\nX: ")
        else:
            handler.send_response(200)
            handler.end_headers()
        try:
            while not gone.wait(0.02):
                handler.wfile.write(b"a")
                handler.wfile.flush()
        except OSError:
            gone.set()

    host.respond["/drip"] = drip
    with pytest.raises(FetchError, match=r"did not come in 0.4 seconds"):
        fetcher(host, deadline_s=0.4).fetch(host.origin + "/drip")
    assert gone.wait(30), "the connection is closed"


def test_compressed_bodies_and_failures_are_refused(host: ImageHost) -> None:
    bomb = gzip.compress(b"\0" * 10_000_000)
    with pytest.raises(FetchError, match="compressed"):
        fetcher(host).fetch(host.serve("/bomb", bomb, Content_Encoding="gzip"))
    with pytest.raises(FetchError, match="answered 404"):
        fetcher(host).fetch(host.serve("/none", b"no", 404))
    with pytest.raises(FetchError):
        fetcher(host).fetch(host.serve("/cut", png(), Content_Length="5000"))
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        closed = f"http://127.0.0.1:{unused.getsockname()[1]}"
        with pytest.raises(FetchError):
            CoverFetcher([closed]).fetch(f"{closed}/x")


@pytest.mark.parametrize(
    "hosts", ["*", "a.example b.example", "https://a.example/path", "'self'", "https://u:p@a.example"]
)
def test_hosts_that_are_none_are_refused_at_start(hosts: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="GARS_COVER_HOSTS"):
        origins_of(hosts)


def test_origins() -> None:
    assert origins_of("CDN.example, http://127.0.0.1:81 ,https://b.example:443,") == [
        "https://cdn.example", "http://127.0.0.1:81", "https://b.example",
    ]  # fmt: skip


def test_kept_images_survive_a_restart(tmp_path: Path) -> None:
    kept = CoverFiles(tmp_path / "covers", max_bytes=10_000).put(5, "https://a/5.png", b"thumbnail")
    again = CoverFiles(tmp_path / "covers", max_bytes=10_000)
    assert again.find(5, "https://a/5.png") == kept
    assert again.find(5, "https://a/other.png") is None
    assert again.find(6, "https://a/5.png") is None


def test_a_damaged_file_is_not_served_and_is_fetched_again(tmp_path: Path) -> None:
    files = CoverFiles(tmp_path, max_bytes=10_000)
    files.put(5, "a", b"thumbnail")
    (file,) = tmp_path.iterdir()
    file.write_bytes(b"thumb")
    assert files.find(5, "a") is None
    assert files.put(5, "a", b"thumbnail").content == b"thumbnail"
    assert files.find(5, "a") is not None


def test_the_oldest_go_and_nothing_that_gars_did_not_write(tmp_path: Path) -> None:
    mine = tmp_path / "holiday.png"
    mine.write_bytes(png())
    lookalike = tmp_path / f"3-{'0' * 24}-{'0' * 32}.png"
    lookalike.write_bytes(b"notes of the owner under such a name")
    os.utime(lookalike, (1, 1))
    one = png()
    files = CoverFiles(tmp_path, max_bytes=3 * len(one) + 36)
    for anime_id in (1, 2, 3):
        files.put(anime_id, "a", one)
    assert files.find(1, "a") is not None  # used now, so 2 is the oldest
    files.put(4, "a", one)
    assert [anime_id for anime_id in (1, 2, 3, 4) if files.find(anime_id, "a")] == [1, 3, 4]
    files.put(5, "a", one)
    assert [anime_id for anime_id in (1, 3, 4, 5) if files.find(anime_id, "a")] == [3, 4, 5]
    assert mine.read_bytes() == png()
    assert lookalike.read_bytes().startswith(b"notes")
    assert len(list(tmp_path.iterdir())) == 5


def keep_original(folder: Path, anime_id: int, address: str, content: bytes, ending: str = "png") -> Path:
    """Write an image as versions of GARS without thumbnails did."""
    hashes = [
        hashlib.blake2b(part, digest_size=size).hexdigest() for part, size in ((address.encode(), 12), (content, 16))
    ]
    folder.mkdir(exist_ok=True)
    file = folder / f"{anime_id}-{hashes[0]}-{hashes[1]}.{ending}"
    file.write_bytes(content)
    return file


@pytest.mark.parametrize("ending", ["jpg", "png", "webp"])
def test_an_image_kept_in_full_size_becomes_a_thumbnail_without_a_request(tmp_path: Path, ending: str) -> None:
    old = keep_original(tmp_path, 1, "https://unreachable.invalid/a", png(600, 900), ending)
    files = CoverFiles(tmp_path, max_bytes=10_000_000)
    covers = Covers(CoverFetcher([]), files, make_thumbnail)
    assert covers.find(1, "https://unreachable.invalid/a") is None
    found = covers.fetch(1, "https://unreachable.invalid/a")
    assert found.content == make_thumbnail(png(600, 900))
    assert covers.find(1, "https://unreachable.invalid/a") == found
    assert not old.exists()
    assert CoverFiles(tmp_path, max_bytes=10_000_000).find(1, "https://unreachable.invalid/a") == found


def test_a_kept_image_that_cannot_be_decoded_is_fetched_again(host: ImageHost, tmp_path: Path) -> None:
    address = host.serve("/a.png", png())
    keep_original(tmp_path, 1, address, png(600, 900)[:-40])
    covers = Covers(fetcher(host), CoverFiles(tmp_path, max_bytes=10_000), make_thumbnail)
    assert covers.fetch(1, address).content == make_thumbnail(png())
    assert host.asked == ["/a.png"]


def test_images_of_full_size_count_and_go_like_thumbnails(tmp_path: Path) -> None:
    old = keep_original(tmp_path, 1, "a", png(600, 900))
    os.utime(old, (1, 1))
    CoverFiles(tmp_path, max_bytes=100).put(2, "a", b"thumbnail")
    assert [file.name.partition("-")[0] for file in tmp_path.iterdir()] == ["2"]


def test_leftovers_of_a_crash_are_removed_after_a_day(tmp_path: Path) -> None:
    old, new = tmp_path / ".cover-abcdefgh", tmp_path / ".cover-ijklmnop"
    for file in (old, new):
        file.write_bytes(b"half")
    os.utime(old, (1, 1))
    CoverFiles(tmp_path, max_bytes=100).find(1, "a")
    assert not old.exists()
    assert new.exists(), "another process may be writing it"


def test_a_failed_address_is_left_alone_for_ten_minutes(host: ImageHost, tmp_path: Path) -> None:
    now = 0.0
    covers = Covers(fetcher(host), CoverFiles(tmp_path, max_bytes=1000), make_thumbnail, clock=lambda: now)
    address = host.serve("/page", b"<!doctype html>")
    for _ in range(3):
        with pytest.raises(FetchError, match="not a JPEG, PNG or WebP"):
            covers.fetch(1, address)
    assert host.asked == ["/page"]
    host.serve("/page", png())
    now = 601.0
    assert covers.fetch(1, address).content == make_thumbnail(png())
    assert list(tmp_path.iterdir()) != []


def test_many_readers_are_one_fetch(host: ImageHost, tmp_path: Path) -> None:
    open_gate = threading.Event()
    address = host.serve("/a.png", png())
    send = host.respond["/a.png"]
    host.respond["/a.png"] = lambda handler: (open_gate.wait(30), send(handler))[1]
    covers = Covers(fetcher(host), CoverFiles(tmp_path, max_bytes=1000), make_thumbnail)
    found: list[bytes] = []
    threads = [threading.Thread(target=lambda: found.append(covers.fetch(1, address).content)) for _ in range(5)]
    for thread in threads:
        thread.start()
    open_gate.set()
    for thread in threads:
        thread.join(30)
    assert found == [make_thumbnail(png())] * 5
    assert host.asked == ["/a.png"]


def test_an_image_is_served_although_the_disk_is_full(host: ImageHost, tmp_path: Path) -> None:
    blocked = tmp_path / "covers"
    blocked.write_bytes(b"a file where the folder would be")
    covers = Covers(fetcher(host), CoverFiles(blocked, max_bytes=1000), make_thumbnail)
    assert covers.fetch(1, host.serve("/a.png", png())).content == make_thumbnail(png())


def serve(tmp_path: Path, address: str | None, **settings: str) -> Iterator[TestClient]:  # type: ignore[type-arg]
    anime = [replace(one, image=address if one.anime_id == 1 else None) for one in sample_catalogue()]
    service = open_service(from_environment(settings, home=tmp_path), FakeEngine(anime))
    with TestClient(create_app(service), raise_server_exceptions=False) as client:
        yield client
    service.close()


COVER = "/api/v1/anime/1/cover"


def test_over_http(host: ImageHost, tmp_path: Path) -> None:
    address = host.serve("/a.png", png())
    for mode in ("proxy", "ask"):
        for client in serve(tmp_path, address, GARS_COVERS=mode, GARS_COVER_HOSTS=host.origin):
            assert client.get("/api/v1/about").json()["covers"] == mode
            answer = client.get(COVER)
            assert (answer.status_code, answer.content) == (200, make_thumbnail(png()))
            assert answer.headers["content-type"] == "image/webp"
            assert answer.headers["cache-control"] == "public, max-age=604800"
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert "img-src 'self' data:;" in answer.headers["content-security-policy"]
            again = client.get(COVER, headers={"If-None-Match": answer.headers["etag"]})
            assert (again.status_code, again.content) == (304, b"")
            assert client.get("/api/v1/anime/5/cover").status_code == 404, "the catalogue names none"
            assert client.get("/api/v1/anime/77/cover").status_code == 404, "there is no such anime"
            for path in ("..%2f..%2fetc%2fpasswd", "1%2f..%2f..", "-1", "1.png", "http:%2f%2f127.0.0.1"):
                assert client.get(f"/api/v1/anime/{path}/cover").status_code in (400, 404)
    assert host.asked == ["/a.png"]
    assert [file.parent.name for file in tmp_path.rglob("1-*.webp")] == ["covers"]


def test_over_http_what_is_no_image(host: ImageHost, tmp_path: Path) -> None:
    address = host.serve("/a.png", b"<script>alert(1)</script>", Content_Type="image/png")
    for client in serve(tmp_path, address, GARS_COVERS="proxy", GARS_COVER_HOSTS=host.origin):
        answer = client.get(COVER)
        assert (answer.status_code, answer.json()["error"]["code"]) == (502, "fetch_failed")
        assert "script" not in answer.text


@pytest.mark.parametrize("mode", ["off", "direct"])
def test_over_http_where_covers_are_not_fetched(host: ImageHost, tmp_path: Path, mode: str) -> None:
    hosts = "cdn.example,https://b.example:8443"
    for client in serve(tmp_path, host.serve("/a.png", png()), GARS_COVERS=mode, GARS_COVER_HOSTS=hosts):
        answer = client.get(COVER)
        assert answer.status_code == 403
        assert "GARS_COVERS=proxy" in answer.json()["error"]["hint"]
        direct = "img-src 'self' data: https://cdn.example https://b.example:8443;"
        assert (direct in answer.headers["content-security-policy"]) == (mode == "direct")
        assert client.get("/api/v1/about").json()["covers"] == mode
    assert host.asked == []
    assert not (tmp_path / "covers").exists()


def test_off_is_the_default_and_other_words_are_refused(tmp_path: Path) -> None:
    assert from_environment({}, home=tmp_path).covers == "off"
    with pytest.raises(InvalidInputError, match="GARS_COVERS"):
        from_environment({"GARS_COVERS": "on"}, home=tmp_path)
