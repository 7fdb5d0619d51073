"""Every dialect of dates, in one form."""

from __future__ import annotations

import contextlib
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gars.datasets.dates import Aired, parse_aired, parse_date


@pytest.mark.parametrize(
    ("text", "start", "end", "is_open"),
    [
        ("Apr 3, 1998 to Apr 24, 1999", "1998-04-03", "1999-04-24", False),
        ("Apr  3,  1998  to  Apr 24, 1999", "1998-04-03", "1999-04-24", False),
        ("April 3rd, 1998", "1998-04-03", None, False),
        ("3 Apr 1998 - 24 Apr 1998", "1998-04-03", "1998-04-24", False),
        ("Apr 2003 to ?", "2003-04", None, True),
        ("? to Apr 2003", None, "2003-04", False),
        ("Apr 2009 - Jul 2010", "2009-04", "2010-07", False),
        ("2001", "2001", None, False),
        ("2001 to 2003", "2001", "2003", False),
        ("2001 to Apr 2001", "2001", "2001-04", False),
        ("Fall 2001", "2001-10", None, False),
        ("Winter 2001 to Spring 2001", "2001-01", "2001-04", False),
        ("1998-04-03", "1998-04-03", None, False),
        ("1998-04", "1998-04", None, False),
        ("1998-04-03T00:00:00+00:00", "1998-04-03", None, False),
        ("1998-04-03/1999-04-24", "1998-04-03", "1999-04-24", False),
        ("1998-04-03/..", "1998-04-03", None, True),
        ("2018-07-20 to ?", "2018-07-20", None, True),
        *((text, None, None, False) for text in ("Not available", "Unknown", "", "?", None, "N/A", "Not yet aired")),
    ],
)
def test_dialects(text: str | None, start: str | None, end: str | None, is_open: bool) -> None:
    aired = parse_aired(text)
    parsed = (aired.start and aired.start.iso(), aired.end and aired.end.iso(), aired.open)
    assert parsed == (start, end, is_open)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("soon", "'soon' is not a date"),
        ("Feb 30, 2001", "'Feb 30, 2001' is not a date: day"),
        ("Foo 3, 2001", "is not a date: month must be"),
        ("1898", "not a date of this century or the last"),
        ("Apr 3, 1999 to Apr 3, 1998", "ends before it starts"),
        ("Apr 3, 1999 to 1998", "ends before it starts"),
        ("2001-13", "is not a date"),
        ("03/04/2001", "is not a date"),
    ],
)
def test_what_is_no_date(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parse_aired(text)


def test_dates_keep_the_precision_of_the_source() -> None:
    dates = [parse_date(text) for text in ("Apr 3, 1998", "Apr 1998", "Spring 1998", "1998")]
    assert [one.precision for one in dates if one] == ["day", "month", "season", "year"]
    assert [one.full() for one in dates if one] == [date(1998, 4, 3), None, None, None]
    assert parse_aired("nOt AvAiLaBlE") == Aired()


@given(st.dates(date(1900, 1, 1), date(2099, 12, 31)), st.dates(date(1900, 1, 1), date(2099, 12, 31)))
def test_every_way_to_write_two_days_is_one(first: date, second: date) -> None:
    start, end = sorted([first, second])
    ways = [
        f"{start:%b} {start.day}, {start.year} to {end:%b} {end.day}, {end.year}",
        f"{start.day} {start:%B} {start.year} - {end.day} {end:%B} {end.year}",
        f"{start}/{end}",
        f"{start}T00:00:00Z to {end}T00:00:00Z",
    ]
    assert {parse_aired(way) for way in ways} == {parse_aired(f"{start} to {end}")}
    aired = parse_aired(ways[0])
    assert aired.start is not None
    assert aired.start.full() == start


@given(st.text(max_size=40))
def test_any_text_is_a_date_or_a_value_error(text: str) -> None:
    with contextlib.suppress(ValueError):
        assert parse_aired(text) is not None
