"""Clients of ``gars serve recall`` and ``gars serve rank``: one connection pool each, one deadline a call.

A stage computes and stores nothing, so that a call may be sent again: to the next address, or over a new connection.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Sequence
from typing import TypeVar

import httpx
import msgspec
import numpy as np
from numpy.typing import NDArray

from gars.application.recommend.engine import Recommendation
from gars.application.recommend.list_request import ListRequest
from gars.application.recommend.stage_messages import (
    CONTENT_TYPE,
    RANK,
    RECALL,
    RECALL_IDS,
    FoundMessage,
    ToRank,
    Wanted,
    encode,
    pack_found,
    pack_history,
    unpack_found,
)
from gars.application.recommend.stages import Found
from gars.domain.candidates import Filters
from gars.domain.errors import InvalidInputError, StageError
from gars.domain.history import History
from gars.runtime import tracing
from gars.runtime.request_ids import request_id

T = TypeVar("T")

_AVOIDED_S = 1.0
"""Time for which an address that failed comes after those that did not."""


class _Client:
    """One service, at one or several addresses. Safe to use from many threads."""

    def __init__(self, name: str, addresses: Sequence[str], *, timeout_s: float, token: str) -> None:
        """Connects at the first call. ``timeout_s`` 0 waits for ever; ``token`` is GARS_SERVICE_TOKEN."""
        self._name = name
        self._addresses = addresses
        self._timeout_s = timeout_s
        headers = {"Content-Type": CONTENT_TYPE, **({"Authorization": f"Bearer {token}"} if token else {})}
        self._http = httpx.Client(headers=headers, trust_env=False)
        self._calls = itertools.count()
        self._failures: dict[str, tuple[float, StageError]] = {}
        """Time and error of addresses that have not answered since."""

    @property
    def problem(self) -> StageError | None:
        """Error of an address that has not answered since; ``None`` if there is none."""
        return next((error for _, error in self._failures.copy().values()), None)

    def close(self) -> None:
        """Let go of connections; a second call does nothing."""
        self._http.close()

    def _call(self, path: str, message: msgspec.Struct, answer: type[T]) -> T:
        about = {"http.request.method": "POST", "url.template": path, "gars.service": self._name}
        with tracing.spanning(f"POST {path}", "client", attributes=about) as span:
            return self._answer(path, message, answer, {} if span is None else span.headers())

    def _answer(self, path: str, message: msgspec.Struct, answer: type[T], headers: dict[str, str]) -> T:
        """Return the first answer of the addresses in turn; raises the error of the last one within the deadline."""
        if (current := request_id.get()) is not None:
            headers["X-Request-Id"] = current
        content = encode(message)
        due = time.monotonic() + self._timeout_s
        problem: StageError | None = None
        addresses = self._ordered_addresses()
        for number, address in enumerate(addresses):
            timeout = None
            if self._timeout_s:
                remaining_s = due - time.monotonic()
                if problem is not None and remaining_s <= 0:
                    break
                # a machine that is down refuses nothing: connecting to it must leave time for the others
                timeout = httpx.Timeout(remaining_s, connect=remaining_s / (len(addresses) - number))
            try:
                response = self._http.post(f"{address}{path}", content=content, headers=headers, timeout=timeout)
                if response.status_code == 200:
                    made = msgspec.msgpack.decode(response.content, type=answer)
                    self._failures.pop(address, None)
                    return made
            except (httpx.HTTPError, msgspec.DecodeError) as error:
                problem = self._failed(address, f"{type(error).__name__}: {error}")
                continue
            code, reason, hint = _error_of(response)
            if code == InvalidInputError.code:
                raise InvalidInputError(reason, hint=hint)
            problem = self._failed(address, f"it answered {response.status_code}: {reason}")
            if len(self._addresses) == 1:
                break
        assert problem is not None
        raise problem

    def _ordered_addresses(self) -> list[str]:
        """Return the addresses, each call from another one on, those that failed lately last.

        A single address comes twice: many processes may be behind it, and one that ended may have held the connection.
        """
        first = next(self._calls) % len(self._addresses)
        turned = [*self._addresses[first:], *self._addresses[:first]]
        since = time.monotonic() - _AVOIDED_S
        failures = self._failures.copy()
        turned.sort(key=lambda address: address in failures and failures[address][0] > since)
        return turned if len(turned) > 1 else turned * 2

    def _failed(self, address: str, reason: str) -> StageError:
        error = StageError(
            f"{self._name} at {address} does not help: {reason}", hint=f"start it with: gars serve {self._name}"
        )
        self._failures[address] = time.monotonic(), error
        return error


class HttpRecall(_Client):
    """Implements ``application.recommend.stages.RecallService``."""

    def __init__(self, *addresses: str, timeout_s: float, token: str = "") -> None:
        super().__init__("recall", addresses, timeout_s=timeout_s, token=token)

    def retrieve(self, history: History, *, want: int, filters: Filters, model_version: str) -> Found:
        """Candidates; raises ``StageError``."""
        message = Wanted(history=pack_history(history), want=want, filters=filters, model_version=model_version)
        return unpack_found(self._call(RECALL, message, FoundMessage))

    def retrieve_ids(self, history: History, *, k: int, filters: Filters) -> NDArray[np.int64]:
        """Ids, best first; raises ``StageError``. → (≤ k,)"""
        message = Wanted(history=pack_history(history), want=k, filters=filters)
        return np.array(self._call(RECALL_IDS, message, list[int]), np.int64)


class HttpRank(_Client):
    """Implements ``application.recommend.stages.RankService``."""

    def __init__(self, *addresses: str, timeout_s: float, token: str = "") -> None:
        super().__init__("rank", addresses, timeout_s=timeout_s, token=token)

    def rank(self, history: History, found: Found, request: ListRequest) -> list[Recommendation]:
        """Rank candidates; raises ``StageError``."""
        message = ToRank(
            history=pack_history(history),
            found=pack_found(found),
            k=request.k,
            offset=request.offset,
            filters=request.filters,
        )
        return self._call(RANK, message, list[Recommendation])


def _error_of(response: httpx.Response) -> tuple[str, str, str | None]:
    """Code, message and hint of the one error shape."""
    try:
        error = response.json()["error"]
        return str(error["code"]), str(error["message"]), error.get("hint")
    except (ValueError, KeyError, TypeError):
        return "error", response.text[:200], None
