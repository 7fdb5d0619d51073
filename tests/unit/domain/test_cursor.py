import pytest

from gars.domain import cursor
from gars.domain.candidates import Filters
from gars.domain.errors import InvalidInputError


def cursor_after(shown: tuple[int, ...]) -> cursor.Cursor:
    return cursor.make("7", Filters(), model_version="m", state_version=3, shown=shown)


@pytest.mark.parametrize("shown", [(), (5,), (7, 3, 900_000), tuple(range(1000))])
def test_what_was_shown_comes_back_ascending(shown: tuple[int, ...]) -> None:
    decoded = cursor.decode(cursor.encode(cursor_after(shown)))
    assert decoded == cursor_after(shown)
    assert decoded.shown == tuple(sorted(shown))


def test_the_longest_cursor_fits_into_an_address() -> None:
    assert len(cursor.encode(cursor_after(tuple(range(0, 60_000, 60))))) < cursor.MAX_LENGTH


def test_hash_of_a_list_depends_on_user_and_filters_but_not_on_the_page() -> None:
    assert cursor.list_hash("7", Filters()) != cursor.list_hash("8", Filters())
    assert cursor.list_hash("7", Filters()) != cursor.list_hash("7", Filters(niche=0.5))
    assert cursor.list_hash("7", Filters(shown=(1,))) == cursor.list_hash("7", Filters())


@pytest.mark.parametrize("word", ["x", "!!!!", "AAAA", "kA", "gqNhYmOjZGVm", "\u00e9"])
def test_any_other_word_is_refused(word: str) -> None:
    with pytest.raises(InvalidInputError, match="cursor: not one of this service\n  → it is sent as it came in `next`"):
        cursor.decode(word)


def test_too_many_or_impossible_ids_are_refused() -> None:
    for gaps in ((1,) * 1001, (-5,), (2**31,)):
        with pytest.raises(InvalidInputError, match="not one of this service"):
            cursor.decode(cursor.encode(cursor.Cursor(b"", "m", 1, gaps)))
