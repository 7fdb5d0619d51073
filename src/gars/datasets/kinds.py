"""Detect the kind of a binary file, or of a page saved in place of a file, from its first bytes."""

from __future__ import annotations

import re
import zipfile
from pathlib import PurePath
from typing import IO

from gars.domain.errors import InvalidInputError

_SIGNATURES: tuple[tuple[bytes, str, str], ...] = (
    (b"%PDF-", "a PDF document", "export the list as XML, JSON or CSV"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Excel workbook (.xls)", "save it as CSV UTF-8"),
    (b"{\\rtf", "a rich text document (.rtf)", "save it as plain text"),
    (b"SQLite format 3\x00", "an SQLite database", "export the table as CSV"),
    (b"PAR1", "a Parquet file", "ratings of many users are imported with: gars data import FILE.parquet"),
    (b"ARROW1", "an Arrow file", "write it as Parquet or CSV"),
    (b"FEA1", "a Feather file", "write it as Parquet or CSV"),
    (b"\x89HDF\r\n", "an HDF5 file", "write it as Parquet or CSV"),
    (b"\x93NUMPY", "a NumPy array", "write it as Parquet or CSV"),
    (b"\x89PNG", "a PNG picture", "give the list itself, not a picture of it"),
    (b"\xff\xd8\xff", "a JPEG picture", "give the list itself, not a picture of it"),
    (b"GIF8", "a GIF picture", "give the list itself, not a picture of it"),
    (b"RIFF", "a RIFF file (WebP picture, sound or film)", "give the list itself"),
    (b"bplist00", "a binary property list", "convert it: plutil -convert json FILE"),
    (b"7z\xbc\xaf'\x1c", "a 7-Zip archive", "unpack it: 7z x FILE"),
    (b"Rar!\x1a\x07", "a RAR archive", "unpack it: unrar x FILE"),
    (b"\x28\xb5\x2f\xfd", "a Zstandard file", "unpack it: zstd -d FILE"),
    (b"\x04\x22\x4d\x18", "an LZ4 file", "unpack it: lz4 -d FILE"),
    (b"\x1f\x9d", "a compress file (.Z)", "unpack it: uncompress FILE"),
    (b"LZIP", "an lzip file", "unpack it: lzip -d FILE"),
    (b"!<arch>", "an ar archive", "unpack it: ar x FILE"),
    (b"\x7fELF", "a program", "give the list itself"),
    (b"MZ\x90\x00", "a program", "give the list itself"),
    (b"MIME-Version:", "a web archive or an e-mail (MIME)", "download the export itself"),
)
_PICKLE = re.compile(rb"\x80[\x02-\x05](?:[\x95}\]\(c]|cpandas)")
_WEB_PAGE = re.compile(
    rb"(?:<!--.*?-->\s*|<\?xml[^>]*>\s*)*<(?:!doctype\s+html|html|head|body)\b", re.DOTALL | re.IGNORECASE
)
_TAR_MAGIC, _TAR_AT = b"ustar", 257
_OFFICE = (
    ("xl/", "an Excel workbook (.xlsx)", "save it as CSV UTF-8"),
    ("word/", "a Word document (.docx)", "save it as plain text"),
    ("ppt/", "a presentation (.pptx)", "export the list as XML, JSON or CSV"),
    ("content.xml", "an OpenDocument file (.ods)", "save it as CSV UTF-8"),
    ("Index/", "a Numbers or Pages document", "export it as CSV"),
    ("META-INF/MANIFEST.MF", "a Java archive", "give the list itself"),
)
_SHOWN = 5


def refuse_other_kind(head: bytes, name: str = "this") -> None:
    """Raise ``InvalidInputError`` naming the kind unless the first bytes are of text or a supported compression.

    Compressed files that can be unpacked (gzip, bzip2, xz, zip) and text of any encoding are accepted.
    """
    for signature, kind, hint in _SIGNATURES:
        if head.startswith(signature):
            raise _refusal(name, kind, hint)
    if head[_TAR_AT : _TAR_AT + len(_TAR_MAGIC)] == _TAR_MAGIC:
        raise _refusal(name, "a tar archive", "unpack it: tar xf FILE")
    if _PICKLE.match(head):
        raise _refusal(name, "a Python pickle", "write it as Parquet or CSV; pickles are never read")
    if is_web_page(head):
        raise InvalidInputError(
            f"{name} is a web page, not a list", hint="log in first, then download the export itself"
        )


def is_web_page(head: bytes) -> bool:
    """Return true if a file starts like HTML."""
    start = head.removeprefix(b"\xef\xbb\xbf")
    if start.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\x00" in start[:64]:
        start = start.replace(b"\x00", b"").lstrip(b"\xff\xfe")
    return _WEB_PAGE.match(start.lstrip()) is not None


def only_member(archive: zipfile.ZipFile, name: str = "this") -> zipfile.ZipInfo:
    """Return the only file in a zip archive; folders and the hidden files of macOS do not count.

    Raises:
        InvalidInputError: it is an office document, encrypted, empty, or holds several files.
    """
    members = [one for one in archive.infolist() if not one.is_dir() and not _is_hidden(one.filename)]
    names = [one.filename for one in members]
    for mark, kind, hint in _OFFICE:
        if any(one.startswith(mark) for one in names) and len(names) > 1:
            raise _refusal(name, kind, hint)
    if len(members) != 1:
        shown = ", ".join(names[:_SHOWN]) + (", …" if len(names) > _SHOWN else "")
        raise InvalidInputError(
            f"{name} is a zip archive of {len(names):,} files" + (f" ({shown})" if names else ""),
            hint="unpack it and give the one file that holds the list",
        )
    if members[0].flag_bits & 1:
        raise InvalidInputError(f"{name} is an encrypted zip archive", hint="unpack it with its password first")
    return members[0]


def is_zip(file: IO[bytes]) -> bool:
    """Return true if a file is a zip archive from its first byte on (self-extracting programs are not)."""
    start = file.read(4)
    file.seek(0)
    return start in (b"PK\x03\x04", b"PK\x05\x06")


def _is_hidden(name: str) -> bool:
    path = PurePath(name)
    return name.startswith("__MACOSX/") or path.name in (".DS_Store", "Thumbs.db", "desktop.ini")


def _refusal(name: str, kind: str, hint: str) -> InvalidInputError:
    return InvalidInputError(f"{name} is {kind}, not a list or a table in text", hint=hint)
