"""Convert a file to the form of the readers: decompressed, UTF-8, line feeds, without ``sep=``."""

from __future__ import annotations

import bz2
import codecs
import gzip
import lzma
import re
import shutil
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, cast

from gars.datasets.csv_rows import SEP_LINE
from gars.datasets.kinds import is_zip, only_member, refuse_other_kind
from gars.datasets.readers.dialects import HEADERLESS, Layout, detect, is_sample_zip
from gars.datasets.text import detect as detect_encoding
from gars.datasets.text import shown_name
from gars.domain.errors import DataError, InvalidInputError

_HEAD = 1 << 16
_CHUNK = 1 << 20
_EVIDENCE = 4 << 20
_MAX_LAYERS = 3
_MOST_OF_THE_DISK = 0.8
_DAMAGED = (lzma.LZMAError, OSError, EOFError, zlib.error, zipfile.BadZipFile, NotImplementedError, RuntimeError)
_BINARY = (".parquet",)
_PREAMBLE = re.compile(rb"\s*[\r\n]|\s*\"?sep=.\"?\s*[\r\n]", re.IGNORECASE)
"""Blank lines, or Excel's statement of the separator, before the header."""


class Readable:
    """Detects files and converts others than plain UTF-8; copies are in ``folder``, messages name the given files."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._given: dict[Path, Path] = {}
        self.notes: list[str] = []
        """Conversions made, for a report."""

    def detect(self, path: Path) -> Layout:
        """Return the layout of a file or of its readable copy. Raises ``DataError``, ``InvalidInputError``."""
        if not path.is_file():
            return detect(path)  # raises the error
        with self.errors():
            return detect(self._readable(path))

    def copy(self, path: Path) -> Path:
        """Return the file itself or its readable copy. Raises ``DataError``, ``InvalidInputError``."""
        return self._readable(path)

    def given(self, path: Path) -> Path:
        """Return the given file of a layout's path."""
        return self._given.get(path, path)

    @contextmanager
    def errors(self) -> Iterator[None]:
        """Replace the paths of copies by those of the given files in errors."""
        try:
            yield
        except (DataError, InvalidInputError) as error:
            message = error.message
            for copy, given in self._given.items():
                message = message.replace(str(copy), str(given))
            if message == error.message:
                raise
            raise type(error)(message, hint=error.hint) from error

    def _readable(self, path: Path) -> Path:
        current = path
        for _ in range(_MAX_LAYERS + 1):
            unpacked = self._unpacked(current, path)
            if unpacked is None:
                break
            current = unpacked
        else:
            raise InvalidInputError(f"{path} has more than {_MAX_LAYERS} wrappers", hint="unpack it first")
        if current.suffix in _BINARY or current.name in HEADERLESS or zipfile.is_zipfile(current):
            return current
        with current.open("rb") as file:
            head = file.read(_HEAD)
        refuse_other_kind(head, str(path))
        encoding = _encoding_of(current, path)
        bare = head.removeprefix(codecs.BOM_UTF8)
        if encoding == "utf-8" and not _has_bare_returns(head) and not _PREAMBLE.match(bare):
            return current
        return self._converted(current, path, encoding)

    def _unpacked(self, path: Path, given: Path) -> Path | None:
        """Return a decompressed copy, ``None`` if the file is not compressed."""
        with path.open("rb") as file:
            start = file.read(6)
        if start.startswith(b"\x1f\x8b"):
            return self._copied(cast("IO[bytes]", gzip.open(path)), given, _bare_name(path, ".gz", ".gzip"))
        if start.startswith(b"\xfd7zXZ\x00"):
            return self._copied(cast("IO[bytes]", lzma.open(path)), given, _bare_name(path, ".xz"))
        if start.startswith(b"BZh"):
            return self._copied(cast("IO[bytes]", bz2.open(path)), given, _bare_name(path, ".bz2"))
        with path.open("rb") as file:
            if not is_zip(file):
                return None
        try:
            with zipfile.ZipFile(path) as archive:
                if is_sample_zip(archive):
                    return None
                member = only_member(archive, str(given))
                return self._copied(archive.open(member), given, Path(member.filename).name)
        except _DAMAGED as error:
            raise DataError(f"{given}: the zip file is damaged: {error}", hint="download it again") from error

    def _copied(self, source: IO[bytes], given: Path, name: str) -> Path:
        target = self._target(given, name)
        room = _MOST_OF_THE_DISK * shutil.disk_usage(self._folder).free
        try:
            with source, target.open("wb") as file:
                while piece := source.read(_CHUNK):
                    if file.tell() > room:
                        raise DataError(
                            f"{given}: holds more than {room / 1e9:,.1f} GB, most of what is free on the disk",
                            hint="unpack it elsewhere, or choose another folder with --home DIR",
                        )
                    file.write(piece)
        except _DAMAGED as error:
            raise DataError(f"{given}: the packed file is damaged: {error}", hint="download it again") from error
        return target

    def _converted(self, path: Path, given: Path, encoding: str) -> Path:
        target = self._target(given, path.name)
        with (
            path.open(
                encoding="utf-8-sig" if encoding == "utf-8" else encoding, errors="replace", newline=None
            ) as source,
            target.open("w", encoding="utf-8", newline="\n") as file,
        ):
            first = source.readline().removeprefix("\ufeff")
            while first and not first.strip():
                first = source.readline()
            if not SEP_LINE.match(first):
                file.write(first)
            while piece := source.read(_CHUNK):
                file.write(piece)
        if encoding != "utf-8":
            self.notes.append(f"{given.name} was read as {shown_name(encoding)}")
        return target

    def _target(self, given: Path, name: str) -> Path:
        folder = self._folder / f"readable-{len(self._given)}"
        folder.mkdir()
        target = folder / (name or "file")
        self._given[target] = given
        return target


def _bare_name(path: Path, *suffixes: str) -> str:
    return path.stem if path.suffix.lower() in suffixes else path.name


def _has_bare_returns(head: bytes) -> bool:
    """Return true if lines end with CR alone, as on old Macs."""
    body = head[:-1]
    return body.count(b"\r") > body.count(b"\r\n") and body.count(b"\n") <= body.count(b"\r\n")


def _encoding_of(path: Path, given: Path) -> str:
    """Return UTF-8 if the whole file decodes, else the encoding detected from its first non-ASCII lines."""
    evidence = bytearray()
    decoder = codecs.getincrementaldecoder("utf-8")()
    good = True
    with path.open("rb") as file:
        head = file.read(_HEAD)
        if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or b"\x00" in head:
            return _detected(head, given)
        file.seek(0)
        while piece := file.read(_CHUNK):
            if piece.isascii():
                if not decoder.getstate()[0]:
                    continue
            elif len(evidence) < _EVIDENCE:
                evidence += b"\n".join(line for line in re.split(rb"[\r\n]+", piece) if not line.isascii()) + b"\n"
            if good:
                try:
                    decoder.decode(piece)
                except UnicodeDecodeError:
                    good = False
            elif len(evidence) >= _EVIDENCE:
                break
    return "utf-8" if good else _detected(bytes(evidence), given)


def _detected(evidence: bytes, given: Path) -> str:
    try:
        return detect_encoding(evidence)
    except InvalidInputError as error:
        raise DataError(f"{given}: {error.message}", hint=error.hint) from error
