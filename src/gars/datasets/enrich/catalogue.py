"""Join everything the other sources know to a base catalogue, by id; what a source does not know stays null."""

from __future__ import annotations

from dataclasses import dataclass, field

import polars as pl

from gars.datasets.enrich.anilist_tags import TAGS
from gars.datasets.enrich.franchise import franchise_keys
from gars.datasets.enrich.ids import IDS
from gars.datasets.enrich.relations import PAIRS, relation_columns, season_pairs
from gars.datasets.schema import CATALOGUE, conform_catalogue

_HOURS_READ_AS_MINUTES = 3
"""The 2020 titles hold "1 hr. 46 min." as 1: a film this short is a misreading, so its duration is unknown."""


def _no_titles() -> pl.DataFrame:
    return pl.DataFrame(schema=CATALOGUE)


@dataclass(frozen=True, slots=True)
class Extras:
    """The optional sources, each read; an empty frame stands for one that could not be had."""

    bangumi: pl.DataFrame = field(default_factory=_no_titles)
    """``enrich.bangumi.read_bangumi``"""
    titles: pl.DataFrame = field(default_factory=_no_titles)
    """``enrich.titles2020.read_titles``"""
    ids: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=IDS))
    relations: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=PAIRS))
    tags: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=TAGS))


def enriched(base: pl.DataFrame, extras: Extras) -> pl.DataFrame:
    """``base`` (the catalogue's schema) with every gap filled that ``extras`` can fill; no row is added or lost.

    What the base says stays. English titles come from bangumi-data before the 2020 titles, whose "English" may be
    another name; the year follows the release day.
    """
    frame = base
    if extras.titles.height:
        frame = _filled(frame, _plausible(extras.titles, base), keep_lists=("genres",))
    if extras.bangumi.height:
        frame = _filled(frame, extras.bangumi, prefer=("title_english", "released"))
    frame = _filled(frame, extras.ids.select("anime_id", "anidb_id", "anilist_id", "tvdb_id"))
    frame = _tagged(frame, extras.tags)
    frame = _related(frame, extras).with_columns(_english(frame))
    return conform_catalogue(
        frame.with_columns(pl.coalesce(pl.col("released").dt.year(), "year").alias("year"), _synonyms(frame))
    )


def _filled(
    frame: pl.DataFrame, other: pl.DataFrame, *, prefer: tuple[str, ...] = (), keep_lists: tuple[str, ...] = ()
) -> pl.DataFrame:
    """Fill nulls from ``other`` by ``anime_id``; ``prefer`` names columns where ``other`` goes first.

    Lists are joined end to end, those in ``keep_lists`` only fill an empty one.
    """
    shared = [name for name in other.columns if name in frame.columns and name != "anime_id"]
    joined = frame.join(other.select("anime_id", *shared), on="anime_id", how="left", suffix="_other")
    filled = []
    for name in shared:
        mine, theirs = pl.col(name), pl.col(f"{name}_other")
        if name in keep_lists:
            filled.append(pl.when(mine.list.len() > 0).then(mine).otherwise(theirs).alias(name))
        elif isinstance(CATALOGUE[name], pl.List):
            empty = pl.lit([], dtype=CATALOGUE[name])
            filled.append(mine.fill_null(empty).list.concat(theirs.fill_null(empty)).alias(name))
        else:
            filled.append(pl.coalesce(*((theirs, mine) if name in prefer else (mine, theirs))).alias(name))
    return joined.with_columns(filled).select(frame.columns)


def _plausible(titles: pl.DataFrame, base: pl.DataFrame) -> pl.DataFrame:
    """The 2020 titles without durations that cannot be minutes."""
    long_form = base.filter(pl.col("type").is_in(["Movie", "OVA", "Special"]))["anime_id"]
    misread = pl.col("anime_id").is_in(long_form.implode()) & (pl.col("duration_min") <= _HOURS_READ_AS_MINUTES)
    return titles.with_columns(duration_min=pl.when(~misread).then("duration_min"))


def _tagged(frame: pl.DataFrame, tags: pl.DataFrame) -> pl.DataFrame:
    """Tags, studios and source by AniList id."""
    by_anime = (
        frame.select("anime_id", "anilist_id")
        .drop_nulls()
        .join(tags, on="anilist_id", how="inner")
        .unique("anime_id", keep="first", maintain_order=True)
        .drop("anilist_id")
    )
    return _filled(frame, by_anime, keep_lists=("tags", "studios"))


def _related(frame: pl.DataFrame, extras: Extras) -> pl.DataFrame:
    """Sequels, prequels and the franchise; only relations within the catalogue, none to itself."""
    follows = pl.concat([extras.relations, _typed(frame), season_pairs(extras.ids)])
    relations = relation_columns(frame["anime_id"], follows)
    frame = frame.drop("prequels", "sequels", "franchise").join(relations, on="anime_id", how="left")
    pairs = frame.select("anime_id", pl.col("sequels").alias("sequel_id")).explode("sequel_id").drop_nulls()
    keys = franchise_keys(frame, extras.ids, pairs)
    return frame.join(keys, on="anime_id", how="left").drop("related").join(_within(frame), on="anime_id", how="left")


def _within(frame: pl.DataFrame) -> pl.DataFrame:
    """Columns ``anime_id, related``: ascending, only what the catalogue has, never the anime itself."""
    links = frame.select("anime_id", "related").explode("related").drop_nulls()
    links = links.filter(pl.col("related").is_in(frame["anime_id"].implode()), pl.col("related") != pl.col("anime_id"))
    return links.group_by("anime_id").agg(pl.col("related").unique().sort())


def _typed(frame: pl.DataFrame) -> pl.DataFrame:
    """The sequels and prequels the base catalogue itself names: columns of ``PAIRS``."""
    follow = frame.select("anime_id", sequel_id="sequels").explode("sequel_id").drop_nulls()
    precede = frame.select(anime_id="prequels", sequel_id="anime_id").explode("anime_id").drop_nulls()
    return pl.concat([follow, precede])


def _english(frame: pl.DataFrame) -> pl.Series:
    """English titles spelled as the other sources spell them: bangumi-data writes "attack on titan"."""
    spelled = []
    for title, english, names in frame.select("title", "title_english", "synonyms").iter_rows():
        alike = [name for name in (title, *(names or [])) if english and name.casefold() == english.casefold()]
        spelled.append(alike[0] if alike else english)
    return pl.Series("title_english", spelled, dtype=pl.String)


def _synonyms(frame: pl.DataFrame) -> pl.Series:
    """Other names in order, without repeats and without those that have a column of their own."""
    named = ("title", "title_english", "title_japanese", "title_chinese")
    rows = frame.select(*named, "synonyms").iter_rows()
    return pl.Series("synonyms", [_others(names, titles) for *titles, names in rows], dtype=CATALOGUE["synonyms"])


def _others(names: list[str] | None, titles: list[str | None]) -> list[str]:
    taken = {title.casefold() for title in titles if title}
    kept: list[str] = []
    for name in names or []:
        if name and name.casefold() not in taken:
            taken.add(name.casefold())
            kept.append(name)
    return kept
