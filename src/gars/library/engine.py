"""The two stages as one: from a history to the ranked list, with reasons."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache, partial

import msgspec
import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from gars.application.recommend import rerank
from gars.application.recommend.engine import Recommendation
from gars.application.recommend.list_request import ListRequest
from gars.domain import features
from gars.domain.anime import Anime
from gars.domain.candidates import Candidates, Filters, about_content, allowed, by_content
from gars.domain.errors import UnknownAnimeError
from gars.domain.features.taste import taste_of
from gars.domain.history import History, from_ratings
from gars.domain.item_table import ItemTable
from gars.domain.normalise import unit_rows
from gars.domain.top_k import top_k
from gars.kernels import neighbours
from gars.kernels.quantised import Quantised
from gars.library.histories import Histories
from gars.library.query import Models, profile_of, taste_profile
from gars.library.reasons import Explainer
from gars.ranking.network import Network
from gars.retrieval.index import Index
from gars.retrieval.large import LargeRetriever, StageOne
from gars.runtime.stage_times import stage

CLICK_WEIGHT = 0.5
"""Weight of the latest click, next to 1 for a liked title."""
CLICK_DECAY = 0.8
"""Each older click counts this much of the one after it."""
SESSION_WEIGHT = 1.0
"""Gain of the best match of the latest click, in deviations of the ranking score."""
_KEPT_MASKS = 64

Query = tuple[NDArray[np.int64], NDArray[np.float32]]
"""Rows and weights of a user's titles and clicks. (q,), (q,)"""


@dataclass(frozen=True, slots=True, eq=False)
class Scored:
    """Scores and features of m candidates from stage two."""

    order: NDArray[np.float32]
    """(m,)"""
    like_rate: float
    """The user's own rate, used without a ranker."""
    features: NDArray[np.float32] | None
    """(m, f); ``None`` without a ranker."""
    profile: NDArray[np.float32]
    """(2g,) the user's genres."""


@dataclass(frozen=True, slots=True, eq=False)
class Ranked:
    """Candidates with the order of a list."""

    query: Query
    found: Candidates
    scored: Scored
    order: NDArray[np.float32]
    """(m,) the sum of the terms."""
    terms: dict[str, NDArray[np.float32]]
    """(m,) each, by name."""


@dataclass(frozen=True, slots=True, eq=False)
class Engine:
    """Retrieval and ranking over one catalogue; implements ``application.recommend.engine.Engine``."""

    version: str
    anime: Sequence[Anime]
    models: Models
    network: Network | None
    """``None``: there was too little data to train a ranker, and the retrieval order stands."""
    user_index: Index
    user_centre: NDArray[np.float32]
    """(dim,) the mean direction of all lists (see ``user_vectors``)."""
    user_ids: Sequence[str]
    per_channel: int = 200
    serve_ranker: bool = True
    """False: lists keep the order of stage one, which was better on held-out users; the like head is still used."""
    _content: Callable[[Filters], NDArray[np.bool_]] = field(init=False)
    """Cached masks of filters that do not depend on the user: few differ."""
    _likeness: Quantised = field(init=False)
    _explainer: Explainer = field(init=False)

    def __post_init__(self) -> None:
        items = self.retriever.items
        object.__setattr__(self, "_content", lru_cache(_KEPT_MASKS)(partial(by_content, items)))
        object.__setattr__(self, "_explainer", Explainer(self.anime, self.retriever))
        object.__setattr__(self, "_likeness", rerank.likeness_of(self.retriever.vectors, items.genres))

    @property
    def retriever(self) -> StageOne:
        """Stage one."""
        return self.models.retriever

    @property
    def items(self) -> ItemTable:
        """The catalogue in columns."""
        return self.models.retriever.items

    def recommend_history(self, history: History, request: ListRequest) -> list[Recommendation]:
        """Return the requested ranks of the ranked list; shorter only when nothing else is allowed."""
        return self._page(history, self.rank(history, want=request.end, filters=request.filters), request)

    def rank_found(self, history: History, found: Candidates, request: ListRequest) -> list[Recommendation]:
        """Run stage two alone on what ``retrieve`` returns for this history and ``want=request.end``."""
        ranked = self._ranked(history, self.query(history), found, self.session(history), request.filters)
        return self._page(history, ranked, request)

    def _page(self, history: History, ranked: Ranked, request: ListRequest) -> list[Recommendation]:
        found = ranked.found
        with stage("rules"):
            places = self._places(found, ranked.order, request.end, request.filters)[request.offset :]
        with stage("ranking"):
            p_like = self._like_chances(ranked.scored, found, places).tolist()
        with stage("reasons"):
            why = self._explainer.explain(history, *ranked.query, ranked.scored.profile, found.rows[places])
        seen, width = b"", 0
        if ranked.scored.features is not None:
            shown = ranked.scored.features[places]
            seen, width = shown.tobytes(), shown[:1].nbytes
        terms = {name: values[places].tolist() for name, values in ranked.terms.items()}
        return [
            Recommendation(
                anime_id,
                score,
                chance,
                channels,
                reasons_,
                seen[number * width : (number + 1) * width],
                1.0,
                {name: values[number] for name, values in terms.items()},
            )
            for number, (anime_id, score, chance, channels, reasons_) in enumerate(
                zip(
                    self.retriever.items.anime_ids[found.rows[places]].tolist(),
                    ranked.order[places].tolist(),
                    p_like,
                    found.channels_of(places),
                    why,
                    strict=True,
                )
            )
        ]

    def ranked_ids(self, history: History, *, k: int, filters: Filters) -> NDArray[np.int64]:
        """Ids of the ranked list alone. → (≤ k,)"""
        ranked = self.rank(history, want=k, filters=filters)
        return self.retriever.items.anime_ids[ranked.found.rows[self._places(ranked.found, ranked.order, k, filters)]]

    def ranked_ids_of(self, histories: Histories, *, k: int, filters: Filters) -> NDArray[np.int64]:
        """Ids of the ranked lists of b histories: the path of batch scoring. → (b, k), -1 pads"""
        items = self.retriever.items
        ids = np.full((len(histories), k), -1, np.int64)
        if isinstance(self.retriever, LargeRetriever) and self.network is None and _treats_users_alike(filters):
            content = allowed(items, from_ratings([]), filters, content=self._content(about_content(filters)))
            rows = self.retriever.best(histories.lists(), content, k, want=max(self.per_channel, k))
            ids[:, : rows.shape[1]] = np.where(rows >= 0, items.anime_ids[rows], -1)
            return ids
        for place in range(len(histories)):
            found = self.ranked_ids(histories.one(place, items.anime_ids), k=k, filters=filters)
            ids[place, : len(found)] = found
        return ids

    def rank(self, history: History, *, want: int, filters: Filters) -> Ranked:
        """Candidates and what they are put in order by."""
        with stage("retrieval"):
            query, session = self.query(history), self.session(history)
            found = self._retrieve(history, query, session, want=want, filters=filters)
        return self._ranked(history, query, found, session, filters)

    def _ranked(
        self, history: History, query: Query, found: Candidates, session: NDArray[np.float32] | None, filters: Filters
    ) -> Ranked:
        scored = self.score(history, found)
        order = scored.order
        terms = {"model": order}
        if filters.retrieval and len(found):
            spread = float(scored.order.std())
            agreed = found.fused - found.fused.mean()
            terms["retrieval"] = filters.retrieval * spread * agreed / max(float(found.fused.std()), 1e-9)
            order = order + terms["retrieval"]
        if session is not None and filters.session and len(found):
            spread = float(scored.order.std())
            terms["session"] = filters.session * SESSION_WEIGHT * spread * session[found.rows]
            order = order + terms["session"]
        if filters.niche:
            leaned = rerank.lean_niche(order, self.retriever.items.counts[found.rows], filters.niche)
            terms["niche"], order = leaned - order, leaned
        return Ranked(query, found, scored, order, terms)

    def retrieve(self, history: History, *, want: int, filters: Filters) -> Candidates:
        """Stage one. Wants more from each channel when the rules may take many away again."""
        return self._retrieve(history, self.query(history), self.session(history), want=want, filters=filters)

    def _retrieve(
        self, history: History, query: Query, session: NDArray[np.float32] | None, *, want: int, filters: Filters
    ) -> Candidates:
        items = self.retriever.items
        return self.retriever.candidates(
            *query,
            allowed(items, history, filters, content=self._content(about_content(filters))),
            per_channel=max(self.per_channel, 4 * want if filters.one_per_franchise else want),
            session=session,
        )

    def retrieve_ids(self, history: History, *, k: int, filters: Filters) -> NDArray[np.int64]:
        """Stage one alone, best first. → (≤ k,)"""
        found = self.retrieve(history, want=k, filters=filters)
        return self.retriever.items.anime_ids[found.rows[self._places(found, found.fused, k, filters)]]

    def popular_ids(self, *, k: int, filters: Filters) -> NDArray[np.int64]:
        """The most watched titles that the filters allow. → (≤ k,)"""
        items = self.retriever.items
        scores = np.where(allowed(items, from_ratings([]), filters), self.retriever.popularity, -np.inf).astype(
            np.float32
        )
        rows = top_k(scores, items.anime_ids, len(items) if filters.one_per_franchise else k)
        if filters.one_per_franchise:
            rows = rows[rerank.collapse(rows, items.franchises)]
        return items.anime_ids[rows[:k]]

    def similar_ids(self, anime_id: int, *, k: int, same_franchise: bool = True) -> list[tuple[int, float]]:
        """Anime like this one with their similarity (0–1), best first.

        Adult titles are only returned for an adult one.

        Raises:
            UnknownAnimeError: the catalogue does not have it.
        """
        items = self.retriever.items
        row = int(items.rows(np.array([anime_id]))[0])
        if row < 0:
            raise UnknownAnimeError([anime_id])
        similarity = self._similarity(row)
        similarity[row] = -np.inf
        if not same_franchise:
            similarity[items.franchises == items.franchises[row]] = -np.inf
        if not items.adult[row]:
            similarity[items.adult] = -np.inf
        similarity[similarity <= 0] = -np.inf
        best = top_k(similarity, items.anime_ids, k)
        return [(int(items.anime_ids[other]), float(min(1.0, similarity[other]))) for other in best]

    def _similarity(self, row: int) -> NDArray[np.float32]:
        """Cosine of embeddings and content, evenly; content alone where nothing takes an embedding's place. → (n,)"""
        content = np.sqrt(self._neighbours("content", np.array([row])))  # the channel keeps squared cosines
        near = self._nearness(row)
        return content if near is None else np.asarray(0.5 * near + 0.5 * content, np.float32)

    def _nearness(self, row: int) -> NDArray[np.float32] | None:
        """Cosine of embeddings; for a title without one the first of these that is there. → (n,)

        Titles that viewers recommend for it, the mean embedding of its franchise, weighted by viewers, and titles
        recommended for the franchise: descriptions alone find titles that share a word. None if there is nothing.
        """
        items, vectors = self.retriever.items, self.retriever.vectors
        if vectors[row].any():
            return np.asarray(vectors @ vectors[row], np.float32)
        if (recommended := self._recommended(np.array([row]))) is not None:
            return recommended
        franchise = np.flatnonzero(items.franchises == items.franchises[row])
        mean = unit_rows((items.counts[franchise] @ vectors[franchise])[None])[0]
        return np.asarray(vectors @ mean, np.float32) if mean.any() else self._recommended(franchise)

    def _recommended(self, rows: NDArray[np.int64]) -> NDArray[np.float32] | None:
        """Weights of what viewers recommend for some titles, at most 1; None if it is nothing. (m,) → (n,)"""
        weights = self._neighbours("recommended", rows)
        most = weights.max()
        return weights / most if most > 0 else None

    def _neighbours(self, channel: str, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """Sum the weights of some items' neighbours in a channel; 0 if the model does not have it. (m,) → (n,)"""
        weights = np.zeros(len(self.retriever.items), np.float32)
        if channel in self.retriever.channel_names:
            lists, at = self.retriever.channel(channel).lists(rows)
            neighbours.weighted_sum(lists, at, np.ones(len(rows), np.float32), weights)
        return weights

    def similar_user_ids(self, history: History, *, k: int, exclude: str | None = None) -> list[tuple[str, float]]:
        """Training users whose taste vector is nearest, with the cosine, best first."""
        rows, weights = self.query(history)
        direction = unit_rows((weights @ self.retriever.vectors[rows])[None])
        if not direction.any():
            return []
        found, similarity = self.user_index.search(unit_rows(direction - self.user_centre)[0], k + 1)
        pairs = [(str(self.user_ids[user]), float(score)) for user, score in zip(found, similarity, strict=True)]
        return [pair for pair in pairs if pair[0] != exclude][:k]

    @property
    def feature_names(self) -> tuple[str, ...]:
        """Names of the columns of ``Recommendation.features``, in order."""
        return features.names(self.retriever.channel_names)

    def like_chances(self, history: History, anime_ids: NDArray[np.int64]) -> NDArray[np.float32]:
        """P(rating > 7) of anime by id, NaN for one the catalogue does not have. (m,) → (m,)"""
        rows = self.retriever.items.rows(anime_ids)
        p = np.full(len(rows), np.nan, np.float32)
        p[rows >= 0] = self.predict_like(history, rows[rows >= 0])
        return p

    def predict_like(self, history: History, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """P(rating > 7) of some rows of the item table. (m,) → (m,)"""
        found = self.retriever.scored(*self.query(history), rows)
        return self._like_chances(self._read(history, found), found, np.arange(len(rows)))

    def query(self, history: History) -> Query:
        """Return rows and weights of the user's titles, then of their recent clicks. → (q,), (q,)"""
        items = self.retriever.items
        rows, weights = items.rows(history.anime_ids), history.weights
        if len(history.clicks):
            rows = np.concatenate([rows, items.rows(history.clicks)])
            faded = (CLICK_WEIGHT * CLICK_DECAY ** np.arange(len(history.clicks))).astype(np.float32)
            weights = np.concatenate([weights, faded])
        is_used = (rows >= 0) & (weights > 0)
        return rows[is_used], weights[is_used]

    def session(self, history: History) -> NDArray[np.float32] | None:
        """Score the similarity of every item to the latest clicks, 0–1; ``None`` without clicks. → (n,)"""
        clicked = self.retriever.items.rows(history.clicks)
        clicked = clicked[clicked >= 0]
        if not len(clicked):
            return None
        faded = (CLICK_DECAY ** np.arange(len(clicked))).astype(np.float32)
        return self.retriever.nearness(clicked, faded)

    def score(self, history: History, found: Candidates) -> Scored:
        """Stage two: what candidates (m,) are put in order by."""
        scored = self._read(history, found)
        # a user without a history gets the popular list: there is nothing to rank by
        if self.network is None or scored.features is None or history.is_empty or not self.serve_ranker:
            return scored
        with stage("ranking"):
            return replace(scored, order=self.network.order_scores(scored.features, found.rows, scored.profile))

    def _read(self, history: History, found: Candidates) -> Scored:
        """The features of candidates, in the order of stage one."""
        with stage("features"):
            if self.network is None:
                taste = taste_of(history, self.items, self.models.prior)
                return Scored(found.fused, taste.like_rate, None, profile_of(taste, self.items))
            query = self.models.query(history, found)
            return Scored(found.fused, query.taste.like_rate, features.matrix(query), taste_profile(query))

    def _like_chances(self, scored: Scored, found: Candidates, places: NDArray[np.int64]) -> NDArray[np.float32]:
        """P(rating > 7) at some places of the candidates. (k,) → (k,)"""
        if self.network is None or scored.features is None:
            return np.full(len(places), scored.like_rate, np.float32)
        return self.network.like_chances(scored.features[places], found.rows[places], scored.profile)

    def _places(self, found: Candidates, order: NDArray[np.float32], want: int, filters: Filters) -> NDArray[np.int64]:
        """Positions of the best ``want`` candidates, by ``(-score, id)``, after the rules about lists as a whole."""
        items = self.retriever.items
        if not filters.one_per_franchise and not filters.diversity:
            return top_k(order, items.anime_ids[found.rows], want)
        most = max(want, rerank.POOL) if filters.diversity else want  # diversity moves titles up from this rank
        places = rerank.best(order, found.rows, items, most, one_per_franchise=filters.one_per_franchise)
        if filters.diversity:
            rows, start = found.rows[places], len(filters.shown)
            spread = rerank.diversify(order[places], rows, self._likeness, filters.diversity, start=start, want=want)
            places = places[spread]
        return places[:want]


def _treats_users_alike(filters: Filters) -> bool:
    """Return True if no rule depends on the history, and none changes the order of stage one."""
    plain = about_content(filters)
    return filters == msgspec.structs.replace(
        plain, exclude_ids=filters.exclude_ids, shown=filters.shown, session=filters.session
    )


def user_vectors(
    weights: sp.csr_array, vectors: NDArray[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Compute unit taste vectors of users from their lists (u, n), and their centre. → (u, dim), (dim,)

    All lists share the popular titles, so their mean direction is subtracted to separate users.
    """
    directions = unit_rows(np.asarray(weights @ vectors, np.float32))
    centre = directions.mean(axis=0)
    return unit_rows(directions - centre), centre
