"""Wires the clicks service: it accepts events and makes them durable; other processes apply them."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import msgspec

from gars.adapters.embedded.clock import SystemClock
from gars.application.catalogue.about import About
from gars.application.catalogue.catalogue import Catalogue
from gars.application.events.accept import Accept
from gars.application.events.ingest import Batch
from gars.application.events.steady_clock import SteadyClock
from gars.application.events.writer import Writer
from gars.application.ports import Clock, EventLog
from gars.bootstrap.addresses import adapter, is_cluster
from gars.bootstrap.model import load_catalogue
from gars.bootstrap.stores import open_event_log
from gars.config import Settings
from gars.domain.anime import Anime
from gars.domain.errors import GarsError, InvalidInputError, StorageError
from gars.library.registry import Registry
from gars.runtime.group_commit import GroupCommitThread
from gars.runtime.live_service import LiveService
from gars.runtime.swap import Swap

logger = logging.getLogger(__name__)

_MAX_LETTERS = 100
"""Capacity of the queue of refused batches."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Collector:
    """Dependencies of the routes of the clicks service."""

    settings: Settings
    about: About
    clock: SteadyClock
    catalogue: Catalogue
    accept: Accept
    log: EventLog
    writer: Writer
    close_all: Sequence[Callable[[], None]]

    def health(self) -> dict[str, str]:
        """Return ``"ok"`` or the error of each dependency of a request. May take a moment: it queries the brokers."""
        try:
            self.log.check()
        except StorageError as error:
            return {"log": str(error)}
        return {"log": "ok"}

    def warnings(self) -> dict[str, str]:
        """Return problems that do not stop requests from being served, by component."""
        problem = self.clock.problem()
        return {"clock": problem} if problem else {}

    def close(self) -> None:
        """Finish accepted batches, then close the connections."""
        self.writer.close()
        for close in self.close_all:
            close()


Refused = Callable[[Batch, GarsError], None]


def open_collector(settings: Settings, *, clock: Clock | None = None) -> LiveService[Collector]:
    """Read the catalogue of the promoted model and connect to the event log.

    Raises:
        InvalidInputError: GARS_EVENT_LOG names a log that one process keeps for itself.
        ArtefactError: there is no model, so events cannot be validated against a catalogue.
    """
    anime, about = load_catalogue(settings.models)
    return collecting(settings, anime, about, clock=clock)


def collecting(
    settings: Settings,
    anime: Sequence[Anime],
    about: About,
    *,
    clock: Clock | None = None,
    log: EventLog | None = None,
    refused: Refused | None = None,
) -> LiveService[Collector]:
    """Open a collector over a given catalogue; tests may pass a log and a callback for refused batches."""
    closing: list[Callable[[], None]] = []
    if log is None:
        log, refused, closing = _open_log(settings)
    steady = SteadyClock(clock or SystemClock())
    catalogue = Catalogue(anime)
    accept = Accept(
        log=log,
        clock=steady,
        known_anime=catalogue,
        refused=refused or (lambda _batch, _error: None),
    )
    collector = Collector(
        settings=settings,
        about=about,
        clock=steady,
        catalogue=catalogue,
        accept=accept,
        log=log,
        writer=Writer(accept),
        close_all=(log.close, *closing),
    )

    def load(current: Collector) -> tuple[Collector, str]:
        anime, about = load_catalogue(settings.models)
        catalogue = current.accept.known_anime = Catalogue(anime)
        return replace(current, about=about, catalogue=catalogue), about.model_version

    promoted = Registry(settings.models).current
    return LiveService(Swap(collector, about.model_version, promoted=promoted, load=load))


def _open_log(settings: Settings) -> tuple[EventLog, Refused, list[Callable[[], None]]]:
    """Open the log. → log, callback for refused batches, functions to call after the log is closed"""
    if not is_cluster(settings):
        raise InvalidInputError(
            f"GARS_EVENT_LOG={settings.event_log!r}: only the process that keeps this log may write it",
            hint="give a log of its own: GARS_EVENT_LOG=kafka://HOST:PORT/PREFIX; or serve everything with: gars serve",
        )
    address = adapter("kafka", "address").parse("GARS_EVENT_LOG", settings.event_log)
    letters = adapter("kafka", "dead_letters").DeadLetters(
        address, where="clicks", timeout_s=settings.busy_timeout_ms / 1000
    )

    def keep(group: list[tuple[Batch, GarsError]]) -> None:
        for batch, error in group:
            letters.try_put(batch[0].user_id, msgspec.json.encode(batch), error.message, origin="a request")

    # a thread of its own: refused batches must not delay accepted ones
    queue = GroupCommitThread[tuple[Batch, GarsError]](
        "gars-dead-letters", keep, max_group=_MAX_LETTERS, max_waiting=_MAX_LETTERS
    )

    def refused(batch: Batch, error: GarsError) -> None:
        try:
            queue.submit((batch, error))
        except StorageError as full:  # the sender has its error; a flood of invalid batches is dropped
            logger.warning("a refused batch was not kept: %s", full.message)

    return open_event_log(settings), refused, [queue.close, letters.close]
