"""The catalogue as the service looks things up in it: by id, by franchise, and which words filters know."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from typing import Literal

from gars.domain.anime import Anime
from gars.domain.errors import UnknownAnimeError

Relation = Literal["this", "prequel", "sequel", "related"]


class Catalogue:
    """Every anime of the model, looked up by id; ``anime_id in catalogue`` works."""

    def __init__(self, anime: Sequence[Anime]) -> None:
        self.anime = anime
        self._by_id = {entry.anime_id: entry for entry in anime}
        self._franchises: defaultdict[str, list[Anime]] = defaultdict(list)
        for entry in anime:
            if entry.franchise:
                self._franchises[entry.franchise].append(entry)
        self.genres = tuple(sorted({genre for entry in anime for genre in entry.genres}))
        self.tags = tuple(sorted({tag for entry in anime for tag in entry.tags}))
        self.studios = tuple(sorted({studio for entry in anime for studio in entry.studios}))
        self.sources = tuple(sorted({entry.source for entry in anime if entry.source}))
        self.sites = tuple(sorted({where.site for entry in anime for where in entry.streaming}))
        self.types = tuple(sorted({entry.type for entry in anime if entry.type}))

    def __contains__(self, anime_id: object) -> bool:
        return anime_id in self._by_id

    def __len__(self) -> int:
        return len(self._by_id)

    def find(self, anime_id: int) -> Anime | None:
        """The anime, or ``None``."""
        return self._by_id.get(anime_id)

    def get(self, anime_id: int) -> Anime:
        """The anime; raises ``UnknownAnimeError``."""
        entry = self._by_id.get(anime_id)
        if entry is None:
            raise UnknownAnimeError([anime_id])
        return entry

    def franchise_of(self, anime_id: int) -> list[tuple[Anime, Relation]]:
        """The whole franchise in order of release, each with how it stands to this one; itself included."""
        this = self.get(anime_id)
        before, after = self._follow(this, "prequels"), self._follow(this, "sequels")
        members = {entry.anime_id: entry for entry in self._franchises.get(this.franchise, [this])}
        members |= {other: self._by_id[other] for other in before | after}
        return [
            (
                entry,
                "this"
                if entry.anime_id == anime_id
                else "prequel"
                if entry.anime_id in before
                else "sequel"
                if entry.anime_id in after
                else "related",
            )
            for entry in sorted(members.values(), key=_release_order)
        ]

    def _follow(self, start: Anime, direction: Literal["prequels", "sequels"]) -> set[int]:
        """Ids of everything reached by going only backwards, or only forwards, in the story."""
        reached: set[int] = set()
        ahead = [start]
        while ahead:
            linked: tuple[int, ...] = getattr(ahead.pop(), direction)
            for anime_id in linked:
                if anime_id in self._by_id and anime_id not in reached and anime_id != start.anime_id:
                    reached.add(anime_id)
                    ahead.append(self._by_id[anime_id])
        return reached


def _release_order(entry: Anime) -> tuple[date, int]:
    released = entry.released or (date(entry.year, 12, 31) if entry.year else date.max)
    return released, entry.anime_id
