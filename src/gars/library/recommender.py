"""``Recommender``: the whole two-stage model behind a handful of methods."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from gars.application.recommend.engine import Recommendation
from gars.application.recommend.list_request import ListRequest
from gars.domain import features
from gars.domain.anime import Anime
from gars.domain.candidates import Filters
from gars.domain.errors import InvalidInputError, UnknownItemError
from gars.domain.history import History, Rating
from gars.library import artefact
from gars.library.blas import one_thread
from gars.library.catalogue_table import anime_of, read_catalogue_table
from gars.library.cold_anime import ColdAnime
from gars.library.engine import Engine
from gars.library.fit_config import FitConfig
from gars.library.fitting import NO_HOOKS, FitHooks, FittedModels, fit
from gars.library.frames import Rows, rows_of
from gars.library.histories import Histories, UnknownIdsWarning, of_pairs, of_users
from gars.library.history_input import checked_k, find_labels
from gars.library.observed import observe
from gars.library.serialisation import pack, read_cold_anime, to_bytes, unpack
from gars.retrieval import index
from gars.retrieval.two_steps import in_blocks
from gars.runtime.progress import Progress, Silent

_AT_A_TIME = 128
"""Users read and scored by a thread before it takes the next."""
Item = int | str
Ratings = Iterable[Rating | tuple[Item, float | None]]


class Candidate(msgspec.Struct, frozen=True):
    """One proposal of stage one."""

    anime_id: Item
    score: float
    channels: tuple[str, ...]


class Recommender:
    """A fitted two-stage recommender. Make one with ``fit`` or ``load``; every result is deterministic for a seed.

    Ids are the ones of the data: integers or strings.
    """

    def __init__(
        self,
        engine: Engine,
        rows: Rows,
        manifest: artefact.Manifest | None,
        *,
        seed: int = 0,
        config: FitConfig | None = None,
        losses: dict[str, list[float]] | None = None,
        measured: dict[str, float] | None = None,
        cold: ColdAnime | None = None,
    ) -> None:
        self.engine = engine
        self.cold_anime = cold
        """Titles without viewers, as a saved model has them; ``None`` before it is saved."""
        self.manifest = manifest
        self._rows = rows
        self._seed = seed
        self.config = config or FitConfig()
        """The settings it was fitted with, those that ``fit`` chose among them."""
        self._losses = losses or {}
        self.measured = measured or {}
        """Metrics on held-out entries by which ``fit`` chose settings and the order of the lists."""
        self._starts = np.searchsorted(rows.user, np.arange(len(rows.user_ids) + 1))

    @classmethod
    def fit(
        cls,
        interactions: Any,
        catalogue: Any = None,
        *,
        users: Any = None,
        config: FitConfig | None = None,
        seed: int = 0,
        progress: bool | Progress = True,
    ) -> Recommender:
        """Fit on interactions ``user_id, item_id[, rating][, time]`` and, if there is one, a catalogue.

        Both may be a DataFrame, an Arrow table, or the path of a CSV or Parquet file. Interactions whose ``status`` is
        "planned" are left out. An empty rating means seen, not rated; without any rating, what was seen was liked. The
        catalogue has ``item_id`` and any of title, genres ("A, B"), type, episodes, released, studios, franchise,
        score, members. ``users`` is a table ``user_id[, list_date][, truncated]``: when each list was taken, and
        whether it was cut.

        Raises:
            InvalidInputError: a column is missing or holds what it cannot hold.
            DataError: a file cannot be read.
            MissingExtraError: the ``train`` extra is not installed.
        """
        shown = progress if not isinstance(progress, bool) else _terminal() if progress else Silent()
        return fit_with(NO_HOOKS, interactions, catalogue, users=users, config=config, seed=seed, progress=shown)

    def save(
        self, path: str | Path, *, data: dict[str, Any] | None = None, metrics: dict[str, Any] | None = None
    ) -> artefact.Manifest:
        """Write the model into the folder ``path``, whole or not at all. Returns its manifest.

        A model that is there already is replaced; a folder or file of anything else is refused.

        Raises:
            InvalidInputError: ``path`` exists and is not a model.
            StorageError: the disk is full or not writable.
        """
        rows = self._rows
        counted = {"users": len(rows.user_ids), "items": len(rows.item_ids), "rows": len(rows.user)}
        return artefact.write(
            Path(path),
            pack(self.engine, rows),
            created=datetime.now(UTC).isoformat(timespec="seconds"),
            seed=self._seed,
            data={**counted, "duplicates": rows.duplicates, **(data or {})},
            config=msgspec.json.decode(msgspec.json.encode(self.config)),
            features=list(features.names(self.engine.retriever.channel_names)),
            metrics={**{name: values[-1] for name, values in self._losses.items()}, **self.measured, **(metrics or {})},
            curves=self._losses,
        )

    @classmethod
    def load(cls, path: str | Path) -> Recommender:
        """Read a model that ``save`` wrote; needs no optional package.

        Raises:
            ArtefactError: there is none, it is incomplete or damaged, or its ranker has features of another version.
        """
        manifest, files = artefact.read(Path(path))
        config = msgspec.convert(manifest.config, FitConfig)
        engine, rows = unpack(
            files,
            version=manifest.version,
            config=config,
            seed=manifest.seed,
            trained_on=manifest.features,
        )
        cold = read_cold_anime(files, engine)
        return cls(engine, rows, manifest, seed=manifest.seed, config=config, cold=cold)

    @property
    def item_ids(self) -> NDArray[Any]:
        """(n,) every id it can recommend, ascending."""
        return self._rows.item_ids

    @property
    def user_ids(self) -> NDArray[Any]:
        """(u,) every user it was fitted on, ascending."""
        return self._rows.user_ids

    def recommend(
        self,
        history: Ratings | None = None,
        *,
        user_id: Item | None = None,
        k: int = 20,
        filters: Filters | None = None,
    ) -> list[Recommendation]:
        """The k best titles for a history or a training user; never one the history holds.

        ``score`` orders the list; ``p_like`` is the probability of a rating above 7. An empty history gets the popular
        list. Unknown ids in a history are left out with an ``UnknownIdsWarning``.
        """
        with one_thread():
            found = self.engine.recommend_history(
                self.read_history(history, user_id), ListRequest(k=checked_k(k), filters=filters or Filters())
            )
        return [self._labelled(one) for one in found]

    def recommend_batch(
        self, histories: Sequence[Ratings], k: int = 100, *, filters: Filters | None = None
    ) -> NDArray[np.int64]:
        """Ids of the k best titles for each history, on all cores. → (n, k), -1 pads.

        With string ids the values are positions in ``item_ids``. The ids are those of ``recommend``, one by one.
        """
        given = list(histories)
        return self._ranked(
            len(given), lambda start, end: of_pairs(given[start:end], self._rows), k, filters or Filters()
        )

    def recommend_users(
        self,
        user_ids: Sequence[Item] | None = None,
        k: int = 100,
        *,
        filters: Filters | None = None,
        block: int = 4096,
    ) -> Iterator[tuple[NDArray[Any], NDArray[np.int64]]]:
        """Ids as of ``recommend_batch`` for training users, all without ``user_ids``, in blocks of bounded memory.

        Yields the users (b,) and their ids (b, k).

        Raises:
            InvalidInputError: it was not fitted on such a user.
        """
        users = self.user_ids if user_ids is None else np.asarray(user_ids)
        for start in range(0, len(users), block):
            some = users[start : start + block]
            read = partial(self._read_users, self._places_of(some))
            yield some, self._ranked(len(some), read, k, filters or Filters())

    def _read_users(self, places: NDArray[np.int64], start: int, end: int) -> Histories:
        return of_users(self._rows, self._starts, places[start:end])

    def _ranked(self, n: int, read: Callable[[int, int], Histories], k: int, filters: Filters) -> NDArray[np.int64]:
        """Ids of the ranked lists of n histories, read and scored in blocks on all cores. → (n, k), -1 pads"""
        ids = np.full((n, checked_k(k)), -1, np.int64)

        def some(start: int) -> None:
            end = min(n, start + _AT_A_TIME)
            ids[start:end] = self.engine.ranked_ids_of(read(start, end), k=ids.shape[1], filters=filters)

        with one_thread():
            in_blocks(some, range(0, n, _AT_A_TIME))
        return ids

    def retrieve(
        self,
        history: Ratings | None = None,
        k: int = 500,
        *,
        user_id: Item | None = None,
        filters: Filters | None = None,
    ) -> list[Candidate]:
        """Stage one alone: at most k candidates, best fused score first, with the channels that proposed each."""
        k = checked_k(k)
        found = self.engine.retrieve(self.read_history(history, user_id), want=k, filters=filters or Filters())
        return [
            Candidate(
                self._label(int(found.rows[place])),
                float(found.fused[place]),
                tuple(
                    name for name, proposes in zip(found.channel_names, found.proposed[place], strict=True) if proposes
                ),
            )
            for place in range(min(k, len(found)))
        ]

    def predict_like(self, history: Ratings, anime_ids: Sequence[Item]) -> NDArray[np.float32]:
        """P(rating > 7) for each id. (m,) → (m,) float32; NaN for an id the model does not know."""
        rows = self._rows_of(list(anime_ids))
        p = np.full(len(rows), np.nan, np.float32)
        with one_thread():
            p[rows >= 0] = self.engine.predict_like(self.read_history(history), rows[rows >= 0])
        return p

    def similar(self, anime_id: Item, k: int = 10) -> list[tuple[Item, float]]:
        """Titles like this one with their similarity (0–1), best first.

        Raises:
            UnknownItemError: the model does not know it.
        """
        row = int(self._rows_of([anime_id])[0])
        if row < 0:
            raise UnknownItemError(anime_id)
        number = int(self.engine.retriever.items.anime_ids[row])
        return [(self._label_of(other), score) for other, score in self.engine.similar_ids(number, k=checked_k(k))]

    def similar_users(
        self, history: Ratings | None = None, *, user_id: Item | None = None, k: int = 10
    ) -> list[tuple[Item, float]]:
        """Training users with the nearest taste and the cosine, best first."""
        exclude = None if user_id is None else str(user_id)
        found = self.engine.similar_user_ids(self.read_history(history, user_id), k=checked_k(k), exclude=exclude)
        kind = int if self._rows.user_ids.dtype.kind == "i" else str
        return [(kind(user), score) for user, score in found]

    def history_of(self, user_id: Item) -> list[Rating]:
        """Return a user's training rows.

        Raises:
            InvalidInputError: it was not fitted on such a user.
        """
        place = int(self._places_of([user_id])[0])
        start, end = self._starts[place], self._starts[place + 1]
        scale = self._rows.rating_scale
        return [
            Rating(self._label(row), None if np.isnan(rating) else float(rating) / scale)  # type: ignore[arg-type]
            for row, rating in zip(self._rows.item[start:end].tolist(), self._rows.rating[start:end], strict=True)
        ]

    def read_history(self, history: Ratings | None, user_id: Item | None = None) -> History:
        """The history as the engine reads it."""
        if (history is None) == (user_id is None):
            raise InvalidInputError(
                "give either a history or a user_id", hint="recommend(history=[…]) or recommend(user_id=…)"
            )
        found = (
            of_pairs([history], self._rows, stacklevel=3)
            if user_id is None
            else of_users(self._rows, self._starts, self._places_of([user_id]))
        )
        return found.one(0, self.engine.retriever.items.anime_ids)

    def _rows_of(self, labels: Sequence[Item]) -> NDArray[np.int64]:
        """Rows of labels, -1 for unknown ones."""
        return find_labels(labels, self._rows.item_ids)

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the files that ``save`` writes, in memory: what the engine caches is made anew."""
        about = (self.engine.version, self.manifest, self._seed, self.config, self._losses, self.measured)
        return _unpickle, (to_bytes(pack(self.engine, self._rows)), about)

    def _places_of(self, user_ids: Sequence[Item] | NDArray[Any]) -> NDArray[np.int64]:
        """Positions of training users in ``user_ids``."""
        labels = user_ids.tolist() if isinstance(user_ids, np.ndarray) else list(user_ids)
        places = find_labels(labels, self._rows.user_ids)
        if (places < 0).any():
            raise InvalidInputError(
                f"no user {labels[int(np.argmax(places < 0))]!r} in the training data",
                hint="give their history instead: recommend(history=[…])",
            )
        return places

    def _label(self, row: int) -> Item:
        label: Item = self._rows.item_ids[row].item()
        return label

    def _label_of(self, number: int) -> Item:
        """The label of an engine's anime id."""
        return number if self._rows.item_ids.dtype.kind == "i" else self._label(number)

    def _labelled(self, one: Recommendation) -> Recommendation:
        if self._rows.item_ids.dtype.kind == "i":
            return one
        return Recommendation(self._label(one.anime_id), one.score, one.p_like, one.channels, one.reasons)  # type: ignore[arg-type]


def _unpickle(files: dict[str, bytes], about: tuple[Any, ...]) -> Recommender:
    version, manifest, seed, config, losses, measured = about
    with tempfile.TemporaryDirectory(prefix="gars-pickle-") as folder:
        paths = {name: Path(folder) / name for name in files}
        for name, path in paths.items():
            path.write_bytes(files[name])
        trained_on = None if manifest is None else manifest.features
        engine, rows = unpack(paths, version=version, config=config, seed=seed, trained_on=trained_on)
    return Recommender(engine, rows, manifest, seed=seed, config=config, losses=losses, measured=measured)


def fit_with(
    hooks: FitHooks,
    interactions: Any,
    catalogue: Any = None,
    *,
    users: Any = None,
    config: FitConfig | None = None,
    seed: int = 0,
    progress: Progress | None = None,
) -> Recommender:
    """Fit as ``Recommender.fit`` does, with hooks; raises ``DataError`` if their graph is not of these interactions."""
    listed = read_catalogue_table(catalogue) if catalogue is not None else None
    rows = rows_of(interactions, listed.labels if listed is not None else ())
    anime = anime_of(listed, rows.item_ids)
    fitted = fit(
        rows, anime, config=config or FitConfig(), seed=seed, progress=progress or Silent(),
        observed=observe(users, rows.user_ids), hooks=hooks,
    )  # fmt: skip
    engine = _engine(fitted, anime, rows, seed, version="unsaved")
    return Recommender(
        engine, rows, None, seed=seed, config=fitted.config, losses=fitted.losses, measured=fitted.measured
    )


def _engine(fitted: FittedModels, anime: Sequence[Anime], rows: Rows, seed: int, *, version: str) -> Engine:
    return Engine(
        version=version,
        anime=anime,
        models=fitted.models,
        network=fitted.network,
        user_index=index.build(fitted.user_vectors, seed=seed),
        user_centre=fitted.user_centre,
        user_ids=[str(user) for user in rows.user_ids.tolist()],
        serve_ranker=fitted.config.serve_ranker,
    )


def _terminal() -> Progress:
    from gars.library.terminal import TerminalProgress

    return TerminalProgress()


__all__ = ["Candidate", "Recommender", "UnknownIdsWarning"]
