from datetime import UTC, date, datetime

from gars.application.catalogue.catalogue import Catalogue
from gars.application.recommend.shelves import Shelves
from gars.domain.anime import Anime
from gars.domain.candidates import SERVICE_DEFAULTS
from gars.testing.clock import FakeClock
from gars.testing.engine import FakeEngine
from gars.testing.memory import MemoryStateStore


class NoTrends:
    """Trends without any event."""

    def heat(self) -> dict[int, float]:
        return {}

    def ids(self) -> list[int]:
        return []

    def forget(self, user_id: str) -> None:
        del user_id


def calendar(*anime: Anime, k: int = 20) -> tuple[list[int], list[int]]:
    engine = FakeEngine(anime)
    shelves = Shelves(
        engine=engine,
        catalogue=Catalogue(engine.anime),
        states=MemoryStateStore(),
        clock=FakeClock(datetime(2026, 11, 29, tzinfo=UTC)),
        trending=NoTrends(),
    )
    found = shelves.calendar(k=k, filters=SERVICE_DEFAULTS)
    assert found.today == date(2026, 11, 29)
    return found.on, found.later


def entry(anime_id: int, *, members: int = 1000, **values: object) -> Anime:
    return Anime(anime_id=anime_id, title=str(anime_id), type="TV", members=members, **values)  # type: ignore[arg-type]


def test_what_began_this_season_comes_before_what_still_airs() -> None:
    on, later = calendar(
        entry(1, members=10, released=date(2026, 10, 3)),
        entry(2, members=900_000, released=date(1999, 10, 20), airing="airing"),
        entry(3, released=date(2026, 7, 3), airing="finished"),
        entry(4, members=5000, season="2026-fall", airing="airing"),
        entry(5, season="2026-fall", airing="upcoming"),
        entry(6),
    )
    assert (on, later) == ([4, 1, 2], [])


def test_series_whose_episodes_are_over_are_not_on() -> None:
    def since_july(anime_id: int, episodes: int | None) -> Anime:
        return entry(anime_id, episodes=episodes, released=date(2026, 7, 3), airing="airing")

    assert calendar(since_july(1, 12), since_july(2, 24), since_july(3, None))[0] == [2, 3]
    assert calendar(entry(1, episodes=7, released=date(2015, 5, 1), airing="airing"))[0] == []


def test_what_comes_is_ordered_by_day() -> None:
    on, later = calendar(
        entry(1, members=3, released=date(2027, 1, 9)),
        entry(2, released=date(2026, 12, 5)),
        entry(3, members=9000, season="2027-winter"),
        entry(4, season="someday"),
        entry(5, released=date(2026, 11, 29)),
    )
    assert (on, later) == ([5], [2, 3, 1])
    assert calendar(entry(1, released=date(2027, 1, 9)), entry(2, released=date(2027, 1, 2)), k=1) == ([], [2])
