"""Why a title is in the list: the user's own titles that speak for it, their click, its story, its genres."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from gars.application.ports import Reason
from gars.domain.features import genres
from gars.domain.features.query import taste_of
from gars.domain.history import LIKED_ABOVE, History
from gars.retrieval.gather import gather

if TYPE_CHECKING:
    from gars.library.engine import Engine

MOST_TITLES = 3
_WORTH_SAYING = 0.05
"""What speaks against a title is told from this share on."""
_MOST_SHARED = 2
"""Tags in one reason."""


def explain(engine: Engine, history: History, rows: NDArray[np.int64]) -> list[tuple[Reason, ...]]:
    """Reasons for each of some rows of the item table, the weightiest first."""
    contributions = _contributions(engine, history, rows)
    verbs = _verbs(history)
    had = set(history.anime_ids.tolist())
    taste = taste_of(history, engine.retriever.items, engine.models.prior)
    lift = genres.share(taste, engine.retriever.items.genres) - engine.retriever.items.genre_shares
    explained = []
    for row, (sources, shares) in zip(rows, contributions, strict=True):
        found = [
            _because(engine, int(source), float(share), verbs) for source, share in zip(sources, shares, strict=True)
        ]
        explained.append(
            (
                *_franchise(engine, had, int(row)),
                *found,
                *_shared(engine, int(row), sources[shares > 0]),
                *_genre(engine, int(row), lift, len(taste.rows)),
            )
        )
    return [reasons or (Reason("popular", "Widely watched and liked"),) for reasons in explained]


def _contributions(
    engine: Engine, history: History, rows: NDArray[np.int64]
) -> list[tuple[NDArray[np.int64], NDArray[np.float32]]]:
    """For each row, up to three of the user's titles with their share (-1 to 1) of all that was said of it.

    What spoke for it comes first. One that spoke against it has a negative share.
    """
    query, strengths = engine.query(history)
    weights = engine.retriever.config.fusion
    place_of = np.full(len(engine.retriever.items), -1, np.int64)
    place_of[rows] = np.arange(len(rows))
    said = np.zeros((len(rows), len(query)), np.float32)
    for channel in engine.retriever.channels:
        weight = weights.get(channel.name, 0.0)
        if not weight:
            continue
        edges = gather(channel.weights, query)
        place = place_of.take(edges.columns)
        kept = np.flatnonzero(place >= 0)
        source = edges.source.take(kept)
        part = np.zeros_like(said)
        part[place.take(kept), source] = edges.weights.take(kept) * strengths.take(source)
        spread = np.abs(part).sum(axis=1, keepdims=True)
        said += weight * part / np.where(spread > 0, spread, 1)
    return [(query[places], shares) for places, shares in loudest(said)]


def loudest(said: NDArray[np.float32]) -> list[tuple[NDArray[np.int64], NDArray[np.float32]]]:
    """Of what q titles say of m others (m, q), up to three places each with their share (-1 to 1) of all that was said.

    What speaks for the title comes first; what speaks against it is only told if its share is worth saying.
    """
    shares = said / np.maximum(np.abs(said).sum(axis=1, keepdims=True), np.float32(1e-9))
    shares[(shares < 0) & (shares > -_WORTH_SAYING)] = 0
    best = np.argsort(-np.abs(shares), axis=1, kind="stable")[:, :MOST_TITLES]
    order = np.argsort(-np.take_along_axis(shares, best, axis=1), axis=1, kind="stable")
    best = np.take_along_axis(best, order, axis=1)
    told = np.take_along_axis(shares, best, axis=1)
    return [(places[share != 0], share[share != 0]) for places, share in zip(best, told, strict=True)]


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


def _franchise(engine: Engine, had: set[int], row: int) -> tuple[Reason, ...]:
    """The prequel the user has, if this is what comes next."""
    prequel = int(engine.retriever.items.prequel_rows[row])
    if prequel < 0 or engine.anime[prequel].anime_id not in had:
        return ()
    before = engine.anime[prequel]
    return (Reason("franchise", f"Continues {before.title}", before.anime_id, before.title),)


def _shared(engine: Engine, row: int, sources: NDArray[np.int64]) -> tuple[Reason, ...]:
    """What the title has in common with the user's own that speaks loudest for it: tags and studios."""
    if not len(sources):
        return ()
    this, other = engine.anime[row], engine.anime[int(sources[0])]
    tags = [tag for tag in this.tags if tag in other.tags][:_MOST_SHARED]
    studios = [studio for studio in this.studios if studio in other.studios][:1]
    if not tags and not studios:
        return ()
    said = ", ".join([*tags, *(f"studio {studio}" for studio in studios)])
    return (Reason("shared", f"Like {other.title}: {said}", other.anime_id, other.title),)


def _genre(engine: Engine, row: int, lift: NDArray[np.float32], n_titles: int) -> tuple[Reason, ...]:
    """The genre of this title that the user has much more of than others."""
    items = engine.retriever.items
    if not n_titles or not len(lift):
        return ()
    score = np.where(items.genres[row] > 0, lift, -np.inf)
    best = int(score.argmax())
    if score[best] < 0.05:
        return ()
    return (
        Reason(
            "genre", f"You watch more {items.genre_names[best]} than most", contribution=round(float(score[best]), 3)
        ),
    )
