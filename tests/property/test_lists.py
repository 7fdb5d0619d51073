"""No bytes at all make a parser of personal lists fail in any way but its own error."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gars.datasets.lists.parse import parse
from gars.domain.errors import InvalidInputError
from gars.domain.personal_list import PersonalList

LISTS = sorted((Path(__file__).parents[1] / "fixtures" / "lists").iterdir())


def survives(content: bytes) -> None:
    try:
        found = parse(content, limit=1_000_000)
    except InvalidInputError as error:
        message: str | None = error.message and error.hint and error.message
    else:
        message = None
        assert isinstance(found, PersonalList)
        for entry in found.entries:
            assert entry.anime_id is not None or entry.anilist_id is not None
            assert entry.rating is None or 1 <= entry.rating <= 10
            entry.name.encode()
    assert message != ""
    (message or "").encode()


@given(st.binary(max_size=300))
def test_any_bytes(content: bytes) -> None:
    survives(content)
    survives(gzip.compress(content))
    survives(b"{" + content)
    survives(b"<myanimelist>" + content)
    survives(b"anime_id,rating\n" + content)


@pytest.mark.parametrize("path", LISTS, ids=lambda path: path.name)
@given(data=st.data())
def test_damaged_lists(path: Path, data: st.DataObject) -> None:
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(content)))
        content[at : at + data.draw(st.integers(0, 40))] = data.draw(st.binary(max_size=6))
    survives(bytes(content))
    survives(gzip.compress(bytes(content)))


WORDS = """
data lists entries media id idMal mediaId title romaji score status node list_status paging next type attributes
relationships anime manga mappings included libraryEntries library-entries externalSite myanimelist/anime externalId
ratingTwenty COMPLETED POINT_3 user mediaListOptions scoreFormat updatedAt gars_export user_id
"""
words = st.sampled_from(WORDS.split())
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | words | st.text(max_size=5) | st.just("\ud800"),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(words, inner, max_size=5),
    max_leaves=30,
)


@given(values)
def test_any_json_in_the_words_of_the_sites(value: object) -> None:
    survives(json.dumps(value).encode())
    survives(json.dumps({"lists": [{"entries": [value]}]}).encode())
    survives(json.dumps({"data": [{"node": value, "list_status": value}], "paging": value}).encode())
    entry = {"type": "libraryEntries", "attributes": value, "relationships": value}
    survives(json.dumps({"data": [entry], "included": [value, value]}).encode())
