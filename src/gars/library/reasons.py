"""Why a title is in the list: the user's own titles that speak for it, their click, its story, its genres."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from gars.application.engine import Reason
from gars.domain.anime import Anime
from gars.domain.history import LIKED_ABOVE, History

if TYPE_CHECKING:
    from gars.library.engine import Engine

MOST_TITLES = 3
_WORTH_SAYING = 0.05
"""What speaks against a title is told from this share on."""
_MUCH_MORE = 0.05
"""Share of the list above everybody's from which a genre is told."""
_MOST_SHARED = 2
"""Tags in one reason."""


def explain(
    engine: Engine, history: History, profile: NDArray[np.float32], rows: NDArray[np.int64]
) -> list[tuple[Reason, ...]]:
    """Reasons for each of some rows of the item table, the weightiest first. ``profile`` (2g,) is ``taste_profile``."""
    contributions = _contributions(engine, history, rows)
    verbs = _verbs(history)
    had = set(history.anime_ids.tolist())
    lifted = _genres(engine, rows, profile)
    explained = []
    for row, prequel, (sources, shares), genre in zip(
        rows.tolist(), engine.retriever.items.prequel_rows[rows].tolist(), contributions, lifted, strict=True
    ):
        found = [_because(engine, source, share, verbs) for source, share in zip(sources, shares, strict=True)]
        # what speaks for it comes first
        common = engine.shared(row, sources[0]) if shares and shares[0] > 0 else ()
        explained.append((*_franchise(engine, had, prequel), *found, *common, *genre))
    return [reasons or (Reason("popular", "Widely watched and liked"),) for reasons in explained]


def _contributions(engine: Engine, history: History, rows: NDArray[np.int64]) -> list[tuple[list[int], list[float]]]:
    """For each row, up to three of the user's titles with their share (-1 to 1) of all that was said of it.

    What spoke for it comes first. One that spoke against it has a negative share.
    """
    query, strengths = engine.query(history)
    said = engine.retriever.said(query, strengths, rows)
    # a title on the list that was clicked too speaks twice, and is named once
    titles, column = np.unique(query, return_inverse=True)
    together = np.zeros((len(titles), len(rows)), np.float32)
    np.add.at(together, column, said.T)
    return [([int(titles[place]) for place in places], shares) for places, shares in loudest(together.T)]


def loudest(said: NDArray[np.float32]) -> list[tuple[list[int], list[float]]]:
    """Of what q titles say of m others (m, q), up to three places each with their share (-1 to 1) of all that was said.

    What speaks for the title comes first; what speaks against it is only told if its share is worth saying.
    """
    shares = said / np.maximum(np.abs(said).sum(axis=1, keepdims=True), np.float32(1e-9))
    shares[(shares < 0) & (shares > -_WORTH_SAYING)] = 0
    each = np.arange(len(said))
    left, found = np.abs(shares), []
    for _ in range(min(MOST_TITLES, said.shape[1])):
        place = left.argmax(axis=1)
        found.append((place.tolist(), shares[each, place].tolist()))
        left[each, place] = -1
    told: list[tuple[list[int], list[float]]] = []
    for row in range(len(said)):
        pairs = [(places[row], share[row]) for places, share in found if share[row]]
        pairs.sort(key=lambda pair: -pair[1])
        told.append(([place for place, _ in pairs], [share for _, share in pairs]))
    return told


def _verbs(history: History) -> dict[int, str]:
    """What the user did with each title they liked or looked at; anything else they watched."""
    liked = history.anime_ids[history.ratings > LIKED_ABOVE].tolist()
    return {**dict.fromkeys(history.clicks.tolist(), "looked at"), **dict.fromkeys(liked, "liked")}


def _because(engine: Engine, source: int, share: float, verbs: dict[int, str]) -> Reason:
    anime = engine.anime[source]
    verb = verbs.get(anime.anime_id, "watched")
    if share < 0:
        return Reason("despite", f"Although you {verb} {anime.title}", anime.anime_id, anime.title, round(share, 3))
    kind = "click" if verb == "looked at" else "because"
    return Reason(kind, f"Because you {verb} {anime.title}", anime.anime_id, anime.title, round(share, 3))


def _franchise(engine: Engine, had: set[int], prequel: int) -> tuple[Reason, ...]:
    """The prequel (its row) if the user has it, for this is what comes next."""
    if prequel < 0 or engine.anime[prequel].anime_id not in had:
        return ()
    before = engine.anime[prequel]
    return (Reason("franchise", f"Continues {before.title}", before.anime_id, before.title),)


def shared(anime: Sequence[Anime], row: int, source: int) -> tuple[Reason, ...]:
    """What a title has in common with one of the user's own that speaks for it: tags and studios."""
    this, other = anime[row], anime[source]
    theirs = frozenset(other.tags)
    tags = [tag for tag in this.tags if tag in theirs][:_MOST_SHARED]
    studios = [studio for studio in this.studios if studio in other.studios][:1]
    if not tags and not studios:
        return ()
    said = ", ".join([*tags, *(f"studio {studio}" for studio in studios)])
    return (Reason("shared", f"Like {other.title}: {said}", other.anime_id, other.title),)


def _genres(engine: Engine, rows: NDArray[np.int64], profile: NDArray[np.float32]) -> list[tuple[Reason, ...]]:
    """For each row, its genre that the user has much more of than others."""
    items = engine.retriever.items
    if not len(profile):
        return [()] * len(rows)
    lift = np.where(items.genres[rows] > 0, profile[: len(items.genre_names)], -np.inf)
    best = lift.argmax(axis=1)
    return [
        (Reason("genre", f"You watch more {items.genre_names[genre]} than most", contribution=round(value, 3)),)
        if value >= _MUCH_MORE
        else ()
        for genre, value in zip(best.tolist(), lift[np.arange(len(rows)), best].tolist(), strict=True)
    ]
