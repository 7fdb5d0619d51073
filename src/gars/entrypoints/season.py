"""Ask AniList for the anime of the current and the next season and keep the answer for half a day."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from gars.config import Settings
from gars.datasets.airing import read_airing
from gars.datasets.durable import whole_file
from gars.datasets.ownership import has_columns
from gars.datasets.schema import CATALOGUE
from gars.domain.errors import MissingExtraError
from gars.domain.season import SEASONS, Season, season_of
from gars.runtime.progress import Progress

KEPT_FOR = timedelta(hours=12)
_PATIENCE_S = 300.0
_FILE = "airing.parquet"


def fetch_season(
    settings: Settings, progress: Progress, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)
) -> Path:
    """Return a Parquet file of catalogue rows; one that is younger than ``KEPT_FOR`` is used as it is.

    Asked are the anime of this season, of the next one, and those whose episodes are running. The pauses between
    requests and the answers "too many requests" of the site are honoured.

    Raises:
        FetchError: AniList cannot be reached or refuses; the file of an earlier answer stays.
        DataError: an answer is not what was asked for.
    """
    path = settings.home / "downloads" / _FILE
    started = now()
    if path.is_file() and started - datetime.fromtimestamp(path.stat().st_mtime, UTC) < KEPT_FOR:
        progress.note(f"{path}: asked less than {KEPT_FOR.total_seconds() / 3600:.0f} hours ago, used as it is")
        return path
    try:
        from gars.bootstrap.stores import open_seasons
    except ImportError as error:
        raise MissingExtraError("asking AniList for the season", "serve") from error
    site = open_seasons(settings, patience_s=_PATIENCE_S)
    year, season = season_of(started.date())
    try:
        with progress.task("ask AniList for this season, the next, and what is running", 3) as advance:
            answers: list[bytes] = []
            for one in ((year, season), _next(year, season)):
                answers += site.of_season(*one)
                advance(1)
            answers += site.running()
            advance(1)
    finally:
        site.close()
    found = read_airing(answers)
    progress.note(
        f"{found.titles.height:,} anime are on air or about to be"
        + (f"; {found.without_id:,} have no MyAnimeList id yet and are left out" if found.without_id else "")
    )
    with whole_file(path, is_ours=has_columns(tuple(CATALOGUE))) as file:
        found.titles.write_parquet(file)
    return path


def _next(year: int, season: Season) -> tuple[int, Season]:
    place = SEASONS.index(season) + 1
    return (year + place // len(SEASONS), SEASONS[place % len(SEASONS)])
