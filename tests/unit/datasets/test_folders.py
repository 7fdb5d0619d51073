"""Folders of repositories: streamed from a tarball, nothing else kept, verified by the git tree id."""

from __future__ import annotations

import http.server
import io
import os
import subprocess
import tarfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from gars.datasets import folders
from gars.datasets.fetch import fetch
from gars.datasets.folders import read_folder
from gars.datasets.sources import SOURCES, Source
from gars.domain.errors import FetchError
from gars.runtime.progress import Silent

FILES = {
    "b.json": b"{}",
    "a/1.json": b'{"a": 1}',
    "a/2.json": os.urandom(300_000),
    "a.txt": b"sorted before the folder a by git",
    "run.sh": b"#!/bin/sh\n",
}
OUTSIDE = {"README.md": b"not ours", "data/users.csv": b"names", "data/users2/x.csv": b"not ours either"}
TOP = "numbers-0123456"

Member = tuple[str, bytes] | tarfile.TarInfo


def tarball(members: list[Member]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as tar:
        for member in members:
            if isinstance(member, tarfile.TarInfo):
                tar.addfile(member)
                continue
            header = tarfile.TarInfo(member[0])
            header.size = len(member[1])
            header.mode = 0o775 if member[0].endswith(".sh") else 0o664
            tar.addfile(header, io.BytesIO(member[1]))
    return out.getvalue()


def whole(prefix: str = f"{TOP}/") -> list[Member]:
    """A repository as GitHub sends it: one directory on top, files in git's order."""
    every = OUTSIDE | {f"data/users/{path}": content for path, content in FILES.items()}
    return [(prefix + path, content) for path, content in sorted(every.items())]


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Source:
    """The tree id comes from git itself."""
    work = tmp_path_factory.mktemp("repository")
    for path, content in FILES.items():
        (work / path).parent.mkdir(exist_ok=True)
        (work / path).write_bytes(content)
    (work / "run.sh").chmod(0o755)

    def git(*command: str) -> str:
        return subprocess.run(["git", *command], cwd=work, check=True, capture_output=True, text=True).stdout.strip()

    git("init", "-q")
    git("-c", "core.autocrlf=false", "add", "-A")
    return Source(
        name="numbers",
        kind="github-folder",
        repository="someone/numbers",
        version="0123456789abcdef0123456789abcdef01234567",
        path="data/users",
        file_name="numbers.tar.gz",
        tree=git("write-tree"),
        files=len(FILES),
        size=sum(map(len, FILES.values())),
        licence="CC0",
        content="numbers",
    )


class Host(http.server.ThreadingHTTPServer):
    """Serves one tarball; ``cut_after`` ends the next answers early."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.content = tarball(whole())
        self.cut_after: list[int] = []
        self.asked: list[str] = []

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Answer(http.server.BaseHTTPRequestHandler):
    server: Host

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        self.send_response(200)
        self.send_header("Content-Length", str(len(self.server.content)))
        self.end_headers()
        cut = self.server.cut_after.pop(0) if self.server.cut_after else None
        self.wfile.write(self.server.content[:cut])

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def host() -> Iterator[Host]:
    with Host() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def got(source: Source, host: Host, home: Path) -> Path:
    return fetch(source, home, mirror=None, progress=Silent(), github_tarballs=host.address)


def held(source: Source, archive: Path) -> dict[str, bytes]:
    return {file.path: file.content for file in read_folder(source, archive)}


def test_only_the_folder_is_kept_and_it_is_fetched_once(source: Source, host: Host, tmp_path: Path) -> None:
    kept = got(source, host, tmp_path)
    assert held(source, kept) == FILES
    with tarfile.open(kept) as tar:
        assert {name for name in tar.getnames() if not name.startswith("data/users/")} == set()
    before = kept.stat().st_mtime_ns
    assert got(source, host, tmp_path) == kept
    assert kept.stat().st_mtime_ns == before
    assert host.asked == [f"/someone/numbers/tar.gz/{source.version}"]
    assert sorted(path.name for path in tmp_path.rglob("*") if path.is_file()) == [
        "numbers.tar.gz",
        "numbers.tar.gz.verified",
    ]


def test_a_cut_tarball_is_streamed_again(source: Source, host: Host, tmp_path: Path) -> None:
    host.cut_after = [1000, len(host.content) - 2000]
    assert held(source, got(source, host, tmp_path)) == FILES
    assert len(host.asked) == 3


def test_a_tarball_that_is_always_cut_leaves_nothing(source: Source, host: Host, tmp_path: Path) -> None:
    host.cut_after = [2000] * 9
    with pytest.raises(FetchError, match=r"could not be fetched from .*the connection was cut"):
        got(source, host, tmp_path)
    assert list((tmp_path / "downloads").iterdir()) == []


@pytest.mark.parametrize("prefix", [f"{TOP}/", "", "./"])
def test_a_mirror_holds_the_folder_as_an_archive(source: Source, tmp_path: Path, prefix: str) -> None:
    mirror = tmp_path / "mirror"
    mirror.mkdir()
    (mirror / "numbers.tar.gz").write_bytes(tarball(whole(prefix)[1:]))
    archive = fetch(source, tmp_path / "home", mirror=mirror, progress=Silent())
    assert archive == mirror / "numbers.tar.gz"
    assert held(source, archive) == FILES
    assert [path.name for path in mirror.iterdir()] == ["numbers.tar.gz"]


def test_a_mirror_may_hold_the_files_at_the_root(source: Source, tmp_path: Path) -> None:
    flat = {name: content for name, content in FILES.items() if "/" not in name}
    (tmp_path / "numbers.tar.gz").write_bytes(tarball(list(flat.items())))
    one = msgspec.structs.replace(source, files=len(flat), size=sum(map(len, flat.values())))
    assert held(one, tmp_path / "numbers.tar.gz") == flat


def test_an_archive_that_was_verified_is_verified_again_when_it_changes(source: Source, tmp_path: Path) -> None:
    mirror = tmp_path / "mirror"
    mirror.mkdir()
    (mirror / "numbers.tar.gz").write_bytes(tarball(whole()))
    fetch(source, tmp_path, mirror=mirror, progress=Silent())
    changed = [(name, content.replace(b"{}", b"[]")) for name, content in whole()]  # type: ignore[misc]
    (mirror / "numbers.tar.gz").write_bytes(tarball([*changed]))
    with pytest.raises(FetchError, match=rf"expected git tree {source.tree}, found [0-9a-f]{{40}}"):
        fetch(source, tmp_path, mirror=mirror, progress=Silent())


def test_tree_id_of_an_archive_counts_the_executable_bit(source: Source, tmp_path: Path) -> None:
    plain = tarfile.TarInfo(f"{TOP}/data/users/run.sh")
    plain.size = 0
    members = [member for member in whole() if isinstance(member, tuple) and not member[0].endswith("run.sh")]
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as tar:
        for name, content in [*members, (plain.name, FILES["run.sh"])]:
            header = tarfile.TarInfo(name)
            header.size = len(content)
            tar.addfile(header, io.BytesIO(content))
    (tmp_path / "numbers.tar.gz").write_bytes(out.getvalue())
    with pytest.raises(FetchError, match="expected git tree"):
        fetch(source, tmp_path / "home", mirror=tmp_path, progress=Silent())


def link(kind: bytes) -> Callable[[str], tarfile.TarInfo]:
    def make(path: str) -> tarfile.TarInfo:
        member = tarfile.TarInfo(path)
        member.type, member.linkname = kind, "/etc/passwd"
        return member

    return make


def long_name(path: str) -> tarfile.TarInfo:
    member = tarfile.TarInfo(path)
    member.type, member.size = tarfile.GNUTYPE_LONGNAME, 1 << 30
    return member


HOSTILE: dict[str, tuple[Member, str]] = {
    "parent": ((f"{TOP}/data/users/../../../evil", b"x"), "a path that leaves the folder"),
    "parent at the end": ((f"{TOP}/data/users/x/..", b"x"), "a path that leaves the folder"),
    "absolute": (("/data/users/evil", b"x"), "a path that leaves the folder"),
    "backslash": ((f"{TOP}/data/users/..\\evil", b"x"), "a path that leaves the folder"),
    "empty part": ((f"{TOP}/data/users//evil", b"x"), "a path that leaves the folder"),
    "symbolic link": (link(tarfile.SYMTYPE)(f"{TOP}/data/users/link"), "a link or device"),
    "hard link": (link(tarfile.LNKTYPE)(f"{TOP}/data/users/link"), "a link or device"),
    "device": (link(tarfile.CHRTYPE)(f"{TOP}/data/users/null"), "a link or device"),
    "twice": ((f"{TOP}/data/users/a.txt", b"other"), "the same path twice"),
    "one file more": ((f"{TOP}/data/users/more", b""), "more than 5 files"),
    "bytes": ((f"{TOP}/data/users/more", bytes(1 << 20)), "more than 5 files of 300,.* bytes"),
    "header bomb": (long_name(f"{TOP}/data/users/x"), "a header of 1,073,741,824 bytes"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_archive_is_refused(source: Source, host: Host, tmp_path: Path, name: str) -> None:
    member, why = HOSTILE[name]
    members = whole()
    last = next(place for place, one in enumerate(members) if isinstance(one, tuple) and one[0].endswith("run.sh"))
    host.content = tarball([*members[:last], member, *members[last:]])
    with pytest.raises(FetchError, match=why):
        got(source, host, tmp_path / "home")
    assert sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*")) == ["home", "home/downloads"]


def test_a_tarball_without_the_folder_is_refused(source: Source, host: Host, tmp_path: Path) -> None:
    host.content = tarball([(f"{TOP}/{path}", content) for path, content in OUTSIDE.items()])
    with pytest.raises(FetchError, match="it holds 0 files of 0 bytes in place of 5 files"):
        got(source, host, tmp_path)


def test_a_stream_without_end_is_refused(
    source: Source, host: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folders, "_LARGEST_STREAM", 1 << 20)
    host.content = tarball([(f"{TOP}/big", bytes(3 << 20)), *whole()])
    with pytest.raises(FetchError, match="more than 1,048,576 bytes unpacked"):
        got(source, host, tmp_path)


def test_other_bytes_than_an_archive_are_refused(source: Source, host: Host, tmp_path: Path) -> None:
    host.content = b"<html>log in to the hotel's network</html>"
    with pytest.raises(FetchError, match="a damaged archive"):
        got(source, host, tmp_path)
    assert list((tmp_path / "downloads").iterdir()) == []


@pytest.mark.sample
@pytest.mark.skipif("GARS_MIRROR" not in os.environ, reason="GARS_MIRROR is not set: no mirror to read folders from")
@pytest.mark.parametrize("name", ["mal-lists-2023", "gowalla"])
def test_the_folders_of_the_mirror_have_the_pinned_tree(tmp_path: Path, name: str) -> None:
    (source,) = [one for one in SOURCES if one.name == name]
    archive = fetch(source, tmp_path, mirror=Path(os.environ["GARS_MIRROR"]), progress=Silent())
    assert len(list(read_folder(source, archive))) == source.files
