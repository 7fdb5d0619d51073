"""Decode text of unknown encoding: byte order mark, UTF-8, UTF-16 without a mark, then legacy encodings by evidence.

Only encodings that spreadsheet programs and anime sites write are candidates. More candidates would mean more
errors: short lists of titles in cp1252 or Shift-JIS must be distinguished here.
"""

from __future__ import annotations

import codecs
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

from gars.domain.errors import InvalidInputError

CANDIDATES = ("cp932", "euc_jp", "gb18030", "big5", "euc_kr", "cp1252", "cp1251", "cp1250")
"""Tried in this order; of equal scores the first counts."""
_NAMES = {"cp932": "Shift-JIS", "euc_jp": "EUC-JP", "gb18030": "GBK", "big5": "Big5", "euc_kr": "EUC-KR"}
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_SAMPLE_BYTES = 1 << 18
_FEW_DAMAGED = 0.2
"""Up to this share of the non-ASCII sequences, bytes that are not UTF-8 are damage in a UTF-8 file."""
_STRAY = 0.01
"""Up to this share of all bytes, bytes that look like no encoding are stray ones in ASCII text."""
_LEAST_SCORE = 0.2


@dataclass(frozen=True, slots=True)
class Decoded:
    """Text, the encoding it was in, and how many bytes could not be decoded (they became U+FFFD)."""

    text: str
    encoding: str
    damaged: int = 0
    guessed: bool = False
    """Neither UTF-8 nor stated by a byte order mark or the file itself."""

    @property
    def notes(self) -> tuple[str, ...]:
        """Remarks for a report; empty if nothing was guessed or damaged."""
        name = shown_name(self.encoding)
        found: tuple[str, ...] = (f"the text was read as {name}",) if self.guessed else ()
        if self.damaged:
            found += (f"{self.damaged} byte(s) are not {name} and were replaced",)
        return found


def decode(content: bytes, *, declared: str | None = None) -> Decoded:
    """Decode a whole text without its byte order mark.

    Args:
        content: The bytes.
        declared: Encoding that the file names itself. It counts where the bytes agree with it.

    Raises:
        InvalidInputError: the bytes are text in no known encoding.
    """
    encoding = detect(content, declared=declared)
    mark = next((mark for mark, name in _MARKS if name == encoding and content.startswith(mark)), b"")
    body = content[len(mark) :]
    if encoding.startswith("utf-16"):
        body = body[: len(body) // 2 * 2]
    text = body.decode(encoding, "replace")
    damaged = text.count("\ufffd")
    if damaged and encoding.startswith(("utf", "gb18030")):  # the others cannot hold the character itself
        damaged -= body.count("\ufffd".encode(encoding))
    stated = bool(mark) or encoding == "utf-8" or (declared is not None and encoding == _python_name(declared))
    return Decoded(text, encoding, max(0, damaged), guessed=not stated)


def _python_name(label: str) -> str | None:
    try:
        return codecs.lookup(label).name
    except LookupError:
        return None


def detect(content: bytes, *, declared: str | None = None) -> str:
    """Return the Python name of the encoding of ``content``, which may be cut anywhere.

    Raises:
        InvalidInputError: the bytes are text in no known encoding.
    """
    for mark, name in _MARKS:
        if content.startswith(mark):
            return name
    if (wide := _wide(content)) is not None:
        return wide
    if b"\x00" in content:
        raise _no_text(content)
    valid, damaged = _utf8_sequences(content)
    if damaged == 0 or (valid and damaged <= _FEW_DAMAGED * (valid + damaged)):
        return "utf-8"
    if declared is not None and _agrees(content, declared):
        return codecs.lookup(declared).name
    sample = b"\n".join(_lines_with_high_bytes(content))
    scored = [(_score(text, name), name) for name in CANDIDATES if (text := _strictly(sample, name)) is not None]
    best = max(scored, key=lambda one: one[0], default=(0.0, ""))
    if best[0] >= _LEAST_SCORE:
        return best[1]
    if damaged <= _STRAY * len(content):
        return "utf-8"
    raise _no_text(content)


def _no_text(content: bytes) -> InvalidInputError:
    try:
        content.decode()
        why = f"byte {content.index(0):,} is NUL"
    except UnicodeDecodeError as error:
        why = f"byte {error.start:,} is no UTF-8"
    return InvalidInputError(
        f"this is no text ({why})",
        hint="save it as UTF-8 (in a spreadsheet: CSV UTF-8), or convert it: iconv -f ENCODING -t utf-8 FILE",
    )


def shown_name(encoding: str) -> str:
    """Return the display name of an encoding."""
    return _NAMES.get(encoding, encoding.upper())


def _wide(content: bytes) -> str | None:
    """UTF-16 without a mark: in text with Latin digits and separators every other byte is often NUL."""
    head = content[: 4096 // 2 * 2]
    if len(head) < 4:
        return None
    even, odd = head[::2].count(0) / len(head[::2]), head[1::2].count(0) / len(head[1::2])
    name = "utf-16-le" if odd > 4 * even and odd > 0.1 else "utf-16-be" if even > 4 * odd and even > 0.1 else None
    if name is None:
        return None
    text = head.decode(name, "ignore")
    known = sum(one.isprintable() or one in "\r\n\t" for one in text)
    return name if text and known >= 0.9 * len(text) else None


def _utf8_sequences(content: bytes) -> tuple[int, int]:
    """Count non-ASCII UTF-8 sequences that are valid, and those that are not."""
    if content.isascii():
        return 0, 0
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    text = decoder.decode(content)  # a sequence that is cut off at the end is not counted
    damaged = text.count("\ufffd") - content.count(b"\xef\xbf\xbd")
    return sum(one > "\x7f" and one != "\ufffd" for one in text), damaged


def _agrees(content: bytes, declared: str) -> bool:
    try:
        codecs.getincrementaldecoder(declared)().decode(content)
    except (LookupError, UnicodeError):
        return False
    return True


def _strictly(sample: bytes, encoding: str) -> str | None:
    try:
        return codecs.getincrementaldecoder(encoding)().decode(sample)
    except UnicodeDecodeError:
        return None


def _lines_with_high_bytes(content: bytes) -> Iterator[bytes]:
    taken = 0
    for line in content.splitlines():
        if not line.isascii():
            yield line
            taken += len(line)
            if taken > _SAMPLE_BYTES:
                return


def _score(text: str, encoding: str) -> float:
    """Score the plausibility of a decoded text as words, from about -5 to 1 per non-ASCII character."""
    padded = f" {text} "
    total = points = 0.0
    kana = False
    for before, one, after in zip(padded, padded[1:-1], padded[2:], strict=False):
        if one < "\x80":
            continue
        total += 1
        if "\u4e00" <= one <= "\u9fff":
            points += _ideograph_points(before, one, after, encoding)
        else:
            points += _points(before, one, after)
            kana = kana or "\u3041" <= one <= "\u30ff"
    if encoding == "euc_jp" and not kana:  # Japanese is seldom without kana, and EUC-JP and GBK share their bytes
        points *= 0.85
    return points / total if total else 0.0


def _ideograph_points(before: str, one: str, after: str, encoding: str) -> float:
    if encoding == "euc_kr":  # Korean of today is written without ideographs
        return -0.5
    if before.isascii() and before.isalpha() and after.isascii() and after.isalpha():
        return -1.0  # a lone ideograph inside a Latin word is two bytes of another encoding
    return 0.8 if _is_common(one, encoding) else 0.1


def _points(before: str, one: str, after: str) -> float:
    code = ord(one)
    if 0x3041 <= code <= 0x30FF:  # hiragana, katakana
        return 1.0
    if 0xAC00 <= code <= 0xD7A3:
        return 1.0 if one in _COMMON_HANGUL else 0.3
    if 0x3000 <= code <= 0x303F or 0xFF01 <= code <= 0xFF5E:  # CJK punctuation, full-width forms
        return 0.8
    if 0xFF61 <= code <= 0xFF9F:  # half-width katakana are what other encodings look like in Shift-JIS
        return -0.5
    if one.isalpha() and code < 0x250:
        neighbours = [near for near in (before, after) if near.isalpha()]
        if not neighbours:
            return 0.1
        ascii_near = any(near.isascii() for near in neighbours)
        wrong_case = one.isupper() and before.islower()
        return -1.0 if wrong_case else 0.8 if ascii_near else -0.2
    if 0x400 <= code <= 0x4FF:
        near = any(0x400 <= ord(other) <= 0x4FF for other in (before, after))
        wrong_case = one.isupper() and before.islower()
        return -0.8 if wrong_case else 0.7 if near else -0.3
    category = unicodedata.category(one)
    if category in ("Co", "Cc", "Cn"):
        return -5.0
    return 0.3 if one in "–—‘’“”…×·°½™®©€£♥♡★☆" else -0.6


_COMMON_HANGUL = frozenset(
    "이다는을의에가고하지기리로도사시아어나인은자해서대한를보수정제전마라여그부일안스니구원과있으비주장상진공거신유미동오우무성소용치세경조들"
    "계연만생생관중드게선실방반모바행화작심면물재더위트내발분김프르국당양천강크러회교영운때문적간아할했된될않없같러되여린레려력렇루름"
    "금격술데노벨바밥웅설각대센행명완료중카전감독음악랑란류별봄밤꿈검귀멸칼날년녀남학원왕전쟁여름겨울"
)


_LEVEL_ONE = {
    "cp932": ("euc_jp", 0xB0, 0xCF),
    "euc_jp": ("euc_jp", 0xB0, 0xCF),
    "gb18030": ("gb2312", 0xB0, 0xD7),
    "big5": ("big5", 0xA4, 0xC6),
}
"""Encoding → the standard that orders its ideographs, and the lead bytes of the common ones (level 1)."""


def _is_common(ideograph: str, encoding: str) -> bool:
    standard, first, last = _LEVEL_ONE.get(encoding, ("gb2312", 0, 0))
    try:
        return first <= ideograph.encode(standard)[0] <= last
    except UnicodeEncodeError:
        return False


def without_controls(text: str) -> tuple[str, int]:
    """Remove control characters other than tab and line ends; returns the text and how many were removed."""
    clean = text.translate(_CONTROLS)
    return clean, len(text) - len(clean)


_CONTROLS = dict.fromkeys([code for code in range(0x20) if code not in (0x09, 0x0A, 0x0D)] + [0x7F])


def with_line_feeds(text: str) -> str:
    """Return the text with every line ended by a line feed, also where it had CRLF or CR."""
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text
