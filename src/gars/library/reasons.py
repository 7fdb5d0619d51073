"""Explanations of recommendations: contributing titles of the user, clicks, franchise, common tags, genres."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache, partial
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from gars.application.recommend.engine import Reason, Verb, named
from gars.domain.anime import Anime
from gars.domain.history import LIKED_ABOVE, History
from gars.domain.item_table import ItemTable
from gars.kernels.top_contributions import top_contributions
from gars.retrieval.large import StageOne

MOST_TITLES = 3
_SMALLEST_NEGATIVE = 0.05
"""Negative contributions of a smaller share are not shown."""
_MUCH_MORE = 0.05
"""Excess of a genre's share over the mean of all users from which it is shown."""
_MOST_SHARED = 2
"""Tags in one reason."""
_KEPT_PAIRS = 50_000
"""Cached pairs of titles with what they have in common."""
_KEPT_WORDINGS = 20_000
"""Cached words about a title of the user: the well-known ones explain most lists."""
_PHRASES: dict[Verb, str] = {"opened": "looked at", "liked": "liked", "watched": "watched", "chose": "chose"}
_WIDELY = (Reason("popular", "Widely watched and liked"),)
_OFTEN = (Reason("popular", "Chosen by many"),)
"""The same of items that may be anything: songs, books, wares."""
_WATCHED_TYPES = frozenset({"TV", "Movie", "OVA", "ONA"})


def are_watched(items: ItemTable) -> bool:
    """Return True for a catalogue of anime, by its types or episodes; items of any other kind are chosen."""
    return bool(_WATCHED_TYPES.intersection(items.type_names)) or not np.isnan(items.episodes).all()


class Explainer:
    """Explains items of a catalogue by the contributions to their scores in stage one. Safe for many threads."""

    def __init__(self, anime: Sequence[Anime], retriever: StageOne) -> None:
        self._anime = anime
        self._retriever = retriever
        self._are_watched = are_watched(retriever.items)
        prefix = "studio " if self._are_watched else ""
        self._shared = lru_cache(_KEPT_PAIRS)(partial(shared, anime, prefix))
        self._wording = lru_cache(_KEPT_WORDINGS)(partial(wording, anime))
        self._ids = retriever.items.anime_ids.tolist()

    def explain(
        self,
        history: History,
        titles: NDArray[np.int64],
        weights: NDArray[np.float32],
        profile: NDArray[np.float32],
        rows: NDArray[np.int64],
    ) -> list[tuple[Reason, ...]]:
        """Return reasons for some rows (m,) of the item table, largest contribution first.

        ``titles`` and ``weights`` (q,) are the query of the history, ``profile`` (2g,) is ``taste_profile``.
        """
        items = self._retriever.items
        verbs, ids = _verbs(history), self._ids
        usual: Verb = "watched" if self._are_watched else "chose"
        had = set(history.anime_ids.tolist())
        explained = []
        for row, prequel, sources, genre in zip(
            rows.tolist(),
            items.prequel_rows[rows].tolist(),
            _sources(self._retriever, history, titles, weights, rows),
            _genres(items, rows, profile, "watch" if self._are_watched else "choose"),
            strict=True,
        ):
            found = []
            for source, share in sources:
                verb = verbs.get(ids[source], usual)
                found.append(Reason(*self._wording(source, verb, share < 0), share, verb))
            # positive contributions come first
            common = self._shared(row, sources[0][0]) if sources and sources[0][1] > 0 else ()
            explained.append((*self._franchise(had, prequel), *found, *common, *genre))
        return [reasons or (_WIDELY if self._are_watched else _OFTEN) for reasons in explained]

    def _franchise(self, had: set[int], prequel: int) -> tuple[Reason, ...]:
        """Return the prequel (its row) as a reason if the user has it."""
        if prequel < 0 or self._ids[prequel] not in had:
            return ()
        before = self._anime[prequel]
        return (Reason.of("franchise", f"Continues {before.title}", before),)


def _sources(
    retriever: StageOne,
    history: History,
    titles: NDArray[np.int64],
    weights: NDArray[np.float32],
    rows: NDArray[np.int64],
) -> list[list[tuple[int, float]]]:
    """Return for each row up to three of the user's titles (as rows) and their share (-1 to 1) of all contributions.

    Positive ones come first; negative ones are left out below ``_SMALLEST_NEGATIVE``.
    """
    contributions = retriever.contributions(titles, weights, rows)
    if len(history.clicks):
        # a title on the list that was clicked too contributes twice, and is shown once
        titles, column = np.unique(titles, return_inverse=True)
        together = np.zeros((len(titles), len(rows)), np.float32)
        np.add.at(together, column, contributions.T)
        contributions = np.ascontiguousarray(together.T)
    if not len(titles):
        return [[] for _ in rows]
    places, shares = np.full((len(rows), MOST_TITLES), -1), np.zeros((len(rows), MOST_TITLES), np.float32)
    top_contributions(contributions, np.float32(_SMALLEST_NEGATIVE), places, shares)
    return [
        [(source, share) for source, share in zip(sources, of_sources, strict=True) if share]
        for sources, of_sources in zip(
            titles[places].tolist(), shares.astype(np.float64).round(3).tolist(), strict=True
        )
    ]


def _verbs(history: History) -> dict[int, Verb]:
    """Return the verb for each title the user liked or clicked; the others were watched."""
    verbs: dict[int, Verb] = dict.fromkeys(history.clicks.tolist(), "opened")
    verbs.update(dict.fromkeys(history.anime_ids[history.ratings > LIKED_ABOVE].tolist(), "liked"))
    return verbs


_Wording = tuple[str, str, int, str, str | None, str | None, str | None]
"""The fields of a ``Reason`` up to its contribution."""


def wording(anime: Sequence[Anime], row: int, verb: Verb, is_against: bool) -> _Wording:
    """Return the words of a reason for or against, by a title (its row) and what the user did with it."""
    kind = "despite" if is_against else "click" if verb == "opened" else "because"
    text = f"{'Although' if is_against else 'Because'} you {_PHRASES[verb]} {anime[row].title}"
    return kind, text, *named(anime[row])


def shared(anime: Sequence[Anime], prefix: str, row: int, source: int) -> tuple[Reason, ...]:
    """Return tags and studios, named with a prefix, that a title has in common with one of the user's titles."""
    this, other = anime[row], anime[source]
    theirs = _as_set(other.tags)
    tags = list(islice((tag for tag in this.tags if tag in theirs), _MOST_SHARED))
    studios = [studio for studio in this.studios if studio in other.studios][:1]
    if not tags and not studios:
        return ()
    common = ", ".join([*tags, *(prefix + studio for studio in studios)])
    return (Reason.of("shared", f"Like {other.title}: {common}", other, names=(*tags, *studios)),)


_as_set = lru_cache(4096)(frozenset[str])
"""A few hundred titles explain most lists."""


def _genres(
    items: ItemTable, rows: NDArray[np.int64], profile: NDArray[np.float32], verb: str
) -> list[tuple[Reason, ...]]:
    """For each row, its genre that the user has much more of than others."""
    if not len(profile):
        return [()] * len(rows)
    lift = items.genres[rows] * profile[: len(items.genre_names)]
    best = lift.argmax(axis=1)
    names = [items.genre_names[genre] for genre in best.tolist()]
    return [
        (Reason("genre", f"You {verb} more {name} than most", contribution=round(value, 3), names=(name,)),)
        if value >= _MUCH_MORE
        else ()
        for name, value in zip(names, lift[np.arange(len(rows)), best].tolist(), strict=True)
    ]
