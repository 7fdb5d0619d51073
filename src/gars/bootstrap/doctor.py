"""Asks everything that the settings name whether it is there and of use."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass

from gars.adapters.embedded.integrity import FileChecks
from gars.bootstrap.addresses import REDIS, adapter, is_cluster, scheme
from gars.bootstrap.model import load_engine, load_others, training_data
from gars.bootstrap.stores import (
    open_change_feed,
    open_event_log,
    open_experiment,
    open_impression_log,
    open_state_store,
    open_tombstones,
    sqlite_files,
)
from gars.config import Settings
from gars.domain.errors import GarsError, StorageError
from gars.library.registry import Registry

_LITTLE_SPACE = 1 << 30


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was asked for. ``problem=None``: it is well."""

    name: str
    where: str
    problem: str | None = None
    hint: str | None = None


def examine(settings: Settings) -> Iterator[Finding]:
    """One finding a dependency, in the order in which they are needed. Writes at most a heartbeat. Never raises."""
    yield _found("home", str(settings.home), lambda: _home(settings))
    yield _found("model", str(settings.models), lambda: _model(settings))
    yield _found("event log", shown(settings.event_log), lambda: _log(settings))
    if is_cluster(settings) or settings.history:
        yield _found("history", shown(settings.history), lambda: _cassandra("GARS_HISTORY", settings.history))
    yield _found("states", shown(settings.state_store), lambda: _states(settings))
    yield _found("changes", shown(settings.change_feed), lambda: _changes(settings))
    yield _found("tombstones", shown(settings.tombstones), lambda: _tombstones(settings))
    yield _found("impressions", shown(settings.impressions), lambda: _impressions(settings))
    if files := sqlite_files(settings):
        where = ", ".join(str(path) for path in dict.fromkeys(files.values()))
        yield _found("pages of the files", where, lambda: _pages(settings))
    if settings.experiment is not None:
        yield _found("experiment", str(settings.experiment), lambda: _experiment(settings))


def shown(address: str) -> str:
    """An address without its password."""
    before, at, host = address.rpartition("@")
    return f"{scheme(before)}://***@{host}" if at else address or "(empty)"


def _found(name: str, where: str, check: Callable[[], None]) -> Finding:
    try:
        check()
    except GarsError as error:
        return Finding(name, where, error.message, error.hint)
    except OSError as error:
        return Finding(name, where, f"{error.strerror or error}", "check the path and its permissions")
    return Finding(name, where)


def _home(settings: Settings) -> None:
    settings.home.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(settings.home).free
    if free < _LITTLE_SPACE:
        raise StorageError(
            f"{free // 2**20} MB are left on the disk of {settings.home}", hint="free space, or move GARS_HOME"
        )


def _model(settings: Settings) -> None:
    _, about = load_engine(settings.models)
    if training_data(settings, about) is None:
        raise StorageError(
            f"the data set {about.data_name} that the model was trained on is not in {settings.datasets}",
            hint="lists are served all the same; its users start without history until: gars data build",
        )
    Registry(settings.models).current()


def _experiment(settings: Settings) -> None:
    load_others(settings.models, open_experiment(settings))


def _log(settings: Settings) -> None:
    with closing(open_event_log(settings)) as log:
        log.check()


def _states(settings: Settings) -> None:
    with closing(open_state_store(settings)) as states:
        states.check()


def _changes(settings: Settings) -> None:
    if scheme(settings.change_feed) in REDIS:
        with closing(adapter("redis", "state_store").RedisStateStore(settings.change_feed)) as redis:
            redis.check()
        return
    open_change_feed(settings).close()


def _tombstones(settings: Settings) -> None:
    with closing(open_tombstones(settings)) as tombstones:
        tombstones.newest_offset()


def _impressions(settings: Settings) -> None:
    if scheme(settings.impressions) == "kafka":
        kafka = adapter("kafka", "address").parse("GARS_IMPRESSIONS", settings.impressions)
        if problem := adapter("kafka", "topics").problem(kafka):
            raise StorageError(problem, hint="start it with: gars stack up kafka")
        return
    with closing(open_impression_log(settings)) as impressions:
        next(iter(impressions.read(user_id="")), None)


def _pages(settings: Settings) -> None:
    checks = FileChecks(sqlite_files(settings))
    checks.wait()
    problems = checks.problems()
    checks.close()
    if problems:
        raise StorageError(
            "; ".join(dict.fromkeys(problems.values())),
            hint="stop the service, then move the file away and restore a copy, or start empty without it",
        )


def _cassandra(name: str, text: str) -> None:
    address = adapter("cassandra", "address").parse(name, text)
    schema = adapter("cassandra", "schema")
    if problem := schema.problem(address):
        raise StorageError(problem, hint="start it with: gars stack up cassandra")
    if problem := schema.missing_tables(address):
        raise StorageError(problem, hint="create its tables with: gars stack up cassandra")
