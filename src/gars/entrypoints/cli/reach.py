"""Access to users' lists: in this folder, or through the service that runs on it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import quote

import httpx
import msgspec

from gars.application.events.import_list import ImportReport
from gars.bootstrap import Service, load_engine, lock_home, open_service, open_sites, training_data
from gars.config import from_environment
from gars.datasets.lists.parse import parse
from gars.domain import user_export
from gars.domain.errors import GarsError, InvalidInputError, StorageError
from gars.entrypoints.api.params import checked_user_id
from gars.entrypoints.cli.serve import made_by

_TIMEOUT_S = 120.0
"""An import of thousands of titles is answered when all of them are on disk."""


_PATIENCE_S = 180.0
"""Seconds for which the command waits for a busy service."""


class Lists(Protocol):
    """Operations on the list of one user."""

    def import_list(self, user_id: str, content: bytes) -> ImportReport:
        """Bring a list in."""
        ...

    def export(self, user_id: str) -> bytes:
        """Export all data of a user as JSON."""
        ...

    def forget(self, user_id: str) -> int:
        """Delete all data of a user. → number of deleted events"""
        ...


class Here:
    """The service opened in this process, without listening."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def import_list(self, user_id: str, content: bytes) -> ImportReport:
        """Bring a list in."""
        listed = parse(content, limit=self._service.settings.max_list_bytes)
        return self._service.import_list(checked_user_id(user_id), listed)

    def export(self, user_id: str) -> bytes:
        """Export all data of a user as JSON."""
        known = checked_user_id(user_id)
        return user_export.encode(self._service.writer.call(lambda: self._service.export_user(known)).result())

    def forget(self, user_id: str) -> int:
        """Delete all data of a user. → number of deleted events"""
        known = checked_user_id(user_id)
        return self._service.writer.call(lambda: self._service.forget_user(known)).result().events


class There:
    """A running service, over HTTP."""

    def __init__(self, client: httpx.Client) -> None:
        self._client = client

    def import_list(self, user_id: str, content: bytes) -> ImportReport:
        """Bring a list in."""
        answer = self._ask("POST", "/api/v1/lists/import", params={"user_id": user_id}, content=content)
        return msgspec.json.decode(answer, type=ImportReport)

    def export(self, user_id: str) -> bytes:
        """Export all data of a user as JSON."""
        return self._ask("GET", f"/api/v1/users/{quote(user_id, safe='')}/export")

    def forget(self, user_id: str) -> int:
        """Delete all data of a user. → number of deleted events"""
        answer = self._ask("DELETE", f"/api/v1/users/{quote(user_id, safe='')}")
        return int(msgspec.json.decode(answer, type=dict)["events"])

    def is_gars(self) -> bool:
        """Return true if the server at this address is GARS."""
        try:
            return bool(msgspec.json.decode(self._ask("GET", "/api/v1/about"), type=dict)["name"] == "GARS")
        except (GarsError, msgspec.DecodeError, KeyError):
            return False

    def _ask(self, method: str, path: str, **options: Any) -> bytes:
        try:
            answer = self._client.request(method, path, **options)
        except httpx.HTTPError as error:
            raise StorageError(
                f"{self._client.base_url} does not answer: {error}", hint="start it with: gars serve"
            ) from error
        if answer.is_success:
            return answer.content
        reply = _error_of(answer)
        message = f"{self._client.base_url} refused: {reply.get('message', answer.status_code)}"
        raise (InvalidInputError if answer.is_client_error else StorageError)(message, hint=reply.get("hint"))


@contextmanager
def reach(home: Path | None, server: str | None, engine_factory: str | None = None) -> Iterator[Lists]:
    """The lists of a folder; of the service that holds it, if one runs; of ``server``, if one is named.

    Raises:
        StorageError: the folder is in use, and no service answers for it.
        ArtefactError: the folder has no model, so no catalogue to look titles up in.
    """
    settings = from_environment(os.environ, home=home)
    address = server or f"http://{settings.host}:{settings.port}"
    with httpx.Client(base_url=address, timeout=_TIMEOUT_S, trust_env=False) as client:
        if server is not None:
            yield There(client)
            return
        try:
            lock = lock_home(settings)
            lock.__enter__()
        except StorageError as held:
            there = There(client)
            if not there.is_gars():
                raise StorageError(
                    f"{held.message}, and no GARS answers at {address}",
                    hint="say where it listens: --server http://127.0.0.1:PORT, or stop it",
                ) from held
            yield there
            return
        try:
            engine, about = (made_by(engine_factory), None) if engine_factory else load_engine(settings.models)
            dataset = training_data(settings, about) if about else None
            service = open_service(settings, engine, about=about, dataset=dataset)
            try:
                yield Here(service)
            finally:
                service.close()
        finally:
            lock.__exit__(None, None, None)


def fetched(site: str, name: str) -> bytes:
    """A list from another site, fetched by this process."""
    sites = open_sites(from_environment(os.environ), patience_s=_PATIENCE_S)
    try:
        return sites[site].fetch(name)
    finally:
        for one in sites.values():
            one.close()


def _error_of(answer: httpx.Response) -> dict[str, Any]:
    try:
        return dict(msgspec.json.decode(answer.content)["error"])
    except (msgspec.DecodeError, KeyError, TypeError, ValueError):
        return {}
