"""Display names: no two anime may show the same one in any language."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence

import polars as pl

from gars.datasets.schema import CATALOGUE

LANGUAGES = ("title", "title_english", "title_japanese", "title_chinese")
"""The main title first: every other language falls back to it."""
_SEASON = re.compile(
    r"\bseason (\d{1,2})\b|\b(\d{1,2})(?:st|nd|rd|th) season\b|\b(second|third|fourth|fifth) season\b"
    r"|第(\d{1,2})(?:期|季|シーズン)",
    re.IGNORECASE,
)
_BROKEN_OFF = 2
"""Letters that a title may lack at its end."""
_ORDINALS = {"second": 2, "third": 3, "fourth": 4, "fifth": 5}
_KINDS = {
    "title_japanese": {"Movie": "映画", "Special": "スペシャル", "Music": "ミュージックビデオ", "TV": "テレビ"},
    "title_chinese": {"Movie": "剧场版", "Special": "特别篇", "Music": "音乐影片", "TV": "电视动画"},
}
_SEASONS = {"title_japanese": "{} 第{}期", "title_chinese": "{} 第{}季"}


def name_apart(catalogue: pl.DataFrame) -> pl.DataFrame:
    """Return the catalogue with names that differ in each language.

    Of several anime that would show one name, the best known keeps it. Each other one gets its season, else its kind,
    else its year behind the name; the name without it becomes a synonym.
    """
    rows = catalogue.select(
        "anime_id", *LANGUAGES, "synonyms", "type", "year", "members", pl.col("released").dt.month().alias("month")
    ).to_dicts()
    order = sorted(range(len(rows)), key=lambda row: (-(rows[row]["members"] or 0), rows[row]["anime_id"]))
    numbers = [_season_number(row) for row in rows]
    for language in LANGUAGES:
        taken = {_key(name) for row in rows if (name := row[language] or row["title"])}
        shown: dict[str, dict[str, object]] = {}
        for place in order:
            row = rows[place]
            name = row[language] or row["title"]
            first = shown.setdefault(_key(name), row)
            if first is row:
                continue
            distinct = next(
                one for one in _distinct_names(name, language, row, first, numbers[place]) if _key(one) not in taken
            )
            taken.add(_key(distinct))
            shown[_key(distinct)] = row
            row["synonyms"] = [*(row["synonyms"] or []), name]
            row[language] = distinct
    return catalogue.with_columns(
        *(pl.Series(name, [row[name] for row in rows], CATALOGUE[name]) for name in (*LANGUAGES, "synonyms"))
    )


def _distinct_names(
    name: str, language: str, row: dict[str, object], first: dict[str, object], number: int | None
) -> Iterator[str]:
    """Yield names for ``row`` from the most to the least telling; the last one is unique."""
    kind = row["type"] and _KINDS.get(language, {}).get(str(row["type"]), str(row["type"]))
    year, month = row["year"], row["month"]
    if number is not None:
        yield _SEASONS.get(language, "{} Season {}").format(name, number)
    if kind and row["type"] != first["type"]:
        yield f"{name} ({kind})"
    if year:
        if year != first["year"]:
            yield f"{name} ({year})"
        if kind:
            yield f"{name} ({kind}, {year})"
        if month:
            yield f"{name} ({year}-{month:02})"
    yield f"{name} (MyAnimeList {row['anime_id']})"


def _season_number(row: dict[str, object]) -> int | None:
    """Return the season number, from 2, in one of the anime's names."""
    names = [row[language] for language in LANGUAGES]
    synonyms = row["synonyms"] if isinstance(row["synonyms"], list) else []
    for name in (*names, *synonyms):
        match = _SEASON.search(str(name or ""))
        if match:
            numeral = next(group for group in match.groups() if group)
            number = int(_ORDINALS.get(numeral.lower(), numeral))
            return number if number > 1 else None
    return None


def _key(name: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())


def spell_english(catalogue: pl.DataFrame) -> pl.Series:
    """Return the English titles, mended by the other names of the same anime.

    bangumi-data writes "attack on titan" and, once, "Prison Schoo": another name in mixed case, or the name that goes
    on where a word breaks off, is the same title.
    """
    rows = catalogue.select("title_english", "title", "synonyms").iter_rows()
    spelled = [_spelled(english, (title, *(names or ()))) if english else None for english, title, names in rows]
    return pl.Series("title_english", spelled, dtype=pl.String)


def _spelled(english: str, names: Sequence[str]) -> str:
    for name in names:
        goes_on = name[len(english) : len(english) + _BROKEN_OFF + 1]
        if not goes_on:
            same = name.casefold() == english.casefold()
            if same and (english.islower() or english.isupper()) and not (name.islower() or name.isupper()):
                return name
        elif (
            len(goes_on) <= _BROKEN_OFF < len(english) // 3
            and (english[-1] + goes_on).isalpha()
            and name.startswith(english)
        ):
            return name
    return english


def other_names(catalogue: pl.DataFrame) -> pl.Series:
    """Synonyms in order, without repeats and without those that have a column of their own."""
    rows = catalogue.select(*LANGUAGES, "synonyms").iter_rows()
    return pl.Series("synonyms", [_others(names, titles) for *titles, names in rows], dtype=CATALOGUE["synonyms"])


def _others(names: Sequence[str] | None, titles: Sequence[str | None]) -> list[str]:
    taken = {title.casefold() for title in titles if title}
    kept: list[str] = []
    for name in names or ():
        if name and name.casefold() not in taken:
            taken.add(name.casefold())
            kept.append(name)
    return kept
