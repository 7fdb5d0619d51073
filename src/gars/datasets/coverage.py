"""Years covered by the titles and the ratings of a data set."""

from __future__ import annotations

from collections import Counter
from datetime import date

import polars as pl

from gars.application.catalogue.about import Coverage, SourceLicence
from gars.datasets.dataset import Dataset
from gars.domain.season import SEASONS, season_of

_TAIL = 0.05
"""Share of the ratings that may lie outside the years at either end."""
_ENOUGH = 10
"""Titles that make a season covered; fewer in a small catalogue."""
_EARLY = 0.002
"""Share of list entries that may be of titles not yet released: users plan some in advance."""


def coverage_of(dataset: Dataset) -> Coverage:
    """Return the seasons, years, users and licences that a data set covers. Planned titles count as not rated."""
    titles = dataset.catalogue().select(
        "anime_id", "season", begins=pl.coalesce("released", pl.date(pl.col("year"), 1, 1)), released="released"
    )
    watched = dataset.interactions().filter(pl.col("status").fill_null("") != "planned")
    counts = watched.group_by("anime_id").agg(entries=pl.len(), ratings=pl.col("rating").count())
    counted = counts.collect()
    seen = counted.join(titles.drop_nulls("begins"), on="anime_id").sort("begins")
    times = _years_of_times(watched)
    years = times or _years_of_titles(seen)
    manifest = dataset.manifest
    return Coverage(
        titles=titles.height,
        titles_to=_last_season(titles),
        ratings=int(counted["ratings"].sum()),
        users=manifest.users,
        ratings_from=years[0] if years else None,
        ratings_to=years[1] if years else None,
        years_of="times" if times else "titles",
        rated_until=_rated_until(seen),
        sources=tuple(SourceLicence(source.name, source.licence) for source in manifest.sources),
    )


def _last_season(titles: pl.DataFrame) -> str | None:
    """Return the last season with enough titles; a single film announced for the next year does not count."""
    seasons = [
        season or "{}-{}".format(*season_of(released))
        for season, released in titles.select("season", "released").iter_rows()
        if season or released
    ]
    enough = max(1, min(_ENOUGH, titles.height // 500))
    covered = [season for season, count in Counter(seasons).items() if count >= enough]
    return max(covered, key=_order) if covered else None


def _order(season: str) -> tuple[int, int]:
    year, _, quarter = season.partition("-")
    return int(year), [*SEASONS].index(quarter) if quarter in SEASONS else -1


def _years_of_times(watched: pl.LazyFrame) -> tuple[int, int] | None:
    """Return the years of the rating times, if most ratings have one."""
    dated = watched.select(
        share=pl.col("time").is_not_null().mean(),
        first=pl.col("time").dt.year().quantile(_TAIL, "nearest"),
        last=pl.col("time").dt.year().quantile(1 - _TAIL, "nearest"),
    )
    share, first, last = dated.collect().row(0)
    return (int(first), int(last)) if share is not None and share > 1 / 2 else None


def _years_of_titles(seen: pl.DataFrame) -> tuple[int, int] | None:
    """Return the years in which the titles on the lists began."""
    if seen.is_empty():
        return None
    reached = seen["entries"].cum_sum() / seen["entries"].sum()
    first = seen["begins"][int((reached < _TAIL).sum())]
    last = seen["begins"][min(int((reached < 1 - _TAIL).sum()), seen.height - 1)]
    return first.year, last.year


def _rated_until(seen: pl.DataFrame) -> date | None:
    """Return the day after which titles have almost no ratings."""
    if seen.is_empty():
        return None
    newest_first = seen.reverse()
    enough = max(1, round(_EARLY * int(seen["entries"].sum())))
    place = int((newest_first["entries"].cum_sum() < enough).sum())
    day: date = newest_first["begins"][min(place, seen.height - 1)]
    return day
