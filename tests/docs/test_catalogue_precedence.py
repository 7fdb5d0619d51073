"""The table of sources in docs/data.md is the one the code follows."""

from __future__ import annotations

import re
from pathlib import Path

from gars.datasets.catalogue.precedence import PRECEDENCE, UNITED

DATA = Path(__file__).parents[2] / "docs" / "data.md"


def test_the_documented_precedence_is_the_one_followed() -> None:
    section = DATA.read_text(encoding="utf-8").split("### The catalogue", 1)[1].split("\n## ", 1)[0]
    documented: dict[str, tuple[str, ...]] = {}
    for fields, sources in re.findall(r"^\| (`.+?`) \| (.+) \|$", section, re.MULTILINE):
        for field in re.findall(r"`(\w+)`", fields):
            assert (" + " in sources) == (field in UNITED and len(PRECEDENCE[field]) > 1)
            documented[field] = tuple(re.split(r" [+>] ", sources))
    assert documented == PRECEDENCE
