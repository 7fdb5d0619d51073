"""Repair the faults of XML that list exporters write: bare ampersands and angle brackets, control characters, entities
of HTML. Entities that the file itself declares are not touched: the parser refuses them.
"""

from __future__ import annotations

import re
from collections import Counter
from html.entities import name2codepoint

_SPECIAL = re.compile(r"[<&]|\]\]>")
_SKIPPED = (("<![CDATA[", "]]>"), ("<!--", "-->"), ("<?", "?>"))
_REFERENCE = re.compile(r"&(?:#(\d{1,8})|#[xX]([0-9a-fA-F]{1,8})|([A-Za-z][A-Za-z0-9]{0,31}));")
_TAG_START = re.compile(r"</?[A-Za-z_:]|<!DOCTYPE|<!ENTITY|<!ELEMENT|<!ATTLIST|<!NOTATION")
_FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_XML_NAMES = frozenset({"amp", "lt", "gt", "quot", "apos"})
_HIGH, _LOW, _AFTER_LOW = 0xD800, 0xDC00, 0xE000


def repair(text: str) -> tuple[str, tuple[str, ...]]:
    """Return XML text that a parser can read, as far as these faults go, and what was repaired, with counts.

    Linear in the length of the text: a part that is opened and never closed ends the repair, not the scan.
    """
    counts: Counter[str] = Counter()
    text, controls = _FORBIDDEN.subn("", text)
    if controls:
        counts["character(s) that XML forbids were removed"] = controls
    pieces: list[str] = []
    place = 0
    while found := _SPECIAL.search(text, place):
        start = found.start()
        pieces.append(text[place:start])
        skipped = next((pair for pair in _SKIPPED if text.startswith(pair[0], start)), None)
        if skipped is not None:
            end = text.find(skipped[1], start + len(skipped[0]))
            if end < 0:
                pieces.append(text[start:])
                place = len(text)
                break
            place = end + len(skipped[1])
            pieces.append(text[start:place])
            continue
        piece, place = _repaired(text, start, counts)
        pieces.append(piece)
    pieces.append(text[place:])
    return "".join(pieces), tuple(f"{count} {what}" for what, count in counts.items())


def _repaired(text: str, start: int, counts: Counter[str]) -> tuple[str, int]:
    """Return the repaired text at a special character, and the position after it."""
    if text[start] == "]":
        counts["end(s) of a CDATA section without its start were escaped"] += 1
        return "]]&gt;", start + 3
    if text[start] == "<":
        if _TAG_START.match(text, start):
            return "<", start + 1
        counts["bare < were escaped"] += 1
        return "&lt;", start + 1
    reference = _REFERENCE.match(text, start)
    if reference is None:
        counts["bare & were escaped"] += 1
        return "&amp;", start + 1
    decimal, hexadecimal, name = reference.groups()
    if name is not None:
        if name in _XML_NAMES:
            return reference[0], reference.end()
        if name in name2codepoint:
            counts["HTML entities were replaced"] += 1
            return chr(name2codepoint[name]), reference.end()
        counts["bare & were escaped"] += 1
        return "&amp;", start + 1
    return _of_number(text, reference, int(decimal) if decimal else int(hexadecimal, 16), counts)


def _of_number(text: str, reference: re.Match[str], code: int, counts: Counter[str]) -> tuple[str, int]:
    """Keep a valid numeric reference, join UTF-16 surrogate pairs, remove others. → text, position after it"""
    end = reference.end()
    if _HIGH <= code < _LOW and (second := _REFERENCE.match(text, end)) is not None:
        low = int(second[1]) if second[1] else int(second[2], 16) if second[2] else 0
        if _LOW <= low < _AFTER_LOW:
            counts["halves of characters were joined"] += 1
            return chr(0x10000 + ((code - _HIGH) << 10) + (low - _LOW)), second.end()
    if code > 0x10FFFF or _FORBIDDEN.match(chr(code)):
        counts["character(s) that XML forbids were removed"] += 1
        return "", end
    return reference[0], end
