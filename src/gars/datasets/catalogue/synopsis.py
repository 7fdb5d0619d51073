"""Synopses as plain text."""

from __future__ import annotations

import html
import re

_BREAK = re.compile(r"<\s*(?:br|/p|/div|/li)\s*/?\s*(?:>|$)", re.IGNORECASE)
_TAG = re.compile(r"</?[a-zA-Z][^<>]*>")
_SPOILER = re.compile(r"~!|!~|__|\*\*")
_BLANKS = re.compile(r"[ \t\u00a0]+")
_LINES = re.compile(r"\n{3,}")
_NOTHING = re.compile(
    r"(?:no synopsis|no description|synopsis not available|there is no synopsis|n/?a$|tba$)", re.IGNORECASE
)


def plain_text(text: str | None) -> str | None:
    """Return a synopsis without markup, tags and entities resolved, paragraphs kept; ``None`` for a placeholder.

    A credit at its end, such as ``(Source: ANN)``, stays: it names the author.
    """
    if not text:
        return None
    broken = _BREAK.sub("\n", text.replace("\r\n", "\n").replace("\r", "\n"))
    # Entities last: an escaped "&lt;3" is text and must not be taken for a tag.
    words = _SPOILER.sub("", html.unescape(_TAG.sub("", broken)))
    lines = (_BLANKS.sub(" ", line).strip() for line in words.split("\n"))
    synopsis = _LINES.sub("\n\n", "\n".join(lines)).strip()
    return None if not synopsis or _NOTHING.match(synopsis) else synopsis
