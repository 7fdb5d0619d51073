"""Clients of ``gars serve recall`` and ``gars serve rank``: one connection pool each, one deadline a call."""

from __future__ import annotations

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


class _Client:
    """One service."""

    def __init__(self, name: str, address: str, *, timeout_s: float, token: str) -> None:
        """Connects at the first call. ``timeout_s`` 0 waits for ever; ``token`` is GARS_SERVICE_TOKEN."""
        self._name = name
        self._address = address
        headers = {"Content-Type": CONTENT_TYPE, **({"Authorization": f"Bearer {token}"} if token else {})}
        self._http = httpx.Client(base_url=address, timeout=timeout_s or None, headers=headers, trust_env=False)
        self.problem: StageError | None = None
        """Why the latest call failed; ``None`` after one that did not."""

    def close(self) -> None:
        """Let go of connections; a second call does nothing."""
        self._http.close()

    def _call(self, path: str, message: msgspec.Struct, answer: type[T]) -> T:
        about = {"http.request.method": "POST", "url.template": path, "gars.service": self._name}
        try:
            with tracing.spanning(f"POST {path}", "client", attributes=about) as span:
                made = self._answer(path, message, answer, {} if span is None else span.headers())
        except StageError as error:
            self.problem = error
            raise
        self.problem = None
        return made

    def _answer(self, path: str, message: msgspec.Struct, answer: type[T], headers: dict[str, str]) -> T:
        try:
            if (current := request_id.get()) is not None:
                headers["X-Request-Id"] = current
            response = self._http.post(path, content=encode(message), headers=headers)
            if response.status_code == 200:
                return msgspec.msgpack.decode(response.content, type=answer)
        except (httpx.HTTPError, msgspec.DecodeError) as error:
            raise self._away(f"{type(error).__name__}: {error}") from error
        code, reason, hint = _error_of(response)
        if code == InvalidInputError.code:
            raise InvalidInputError(reason, hint=hint)
        raise self._away(f"it answered {response.status_code}: {reason}")

    def _away(self, reason: str) -> StageError:
        return StageError(
            f"{self._name} at {self._address} does not help: {reason}", hint=f"start it with: gars serve {self._name}"
        )


class HttpRecall(_Client):
    """Implements ``application.recommend.stages.RecallService``."""

    def __init__(self, address: str, *, timeout_s: float, token: str = "") -> None:
        super().__init__("recall", address, timeout_s=timeout_s, token=token)

    def retrieve(self, history: History, *, want: int, filters: Filters) -> Found:
        """Candidates; raises ``StageError``."""
        message = Wanted(history=pack_history(history), want=want, filters=filters)
        return unpack_found(self._call(RECALL, message, FoundMessage))

    def retrieve_ids(self, history: History, *, k: int, filters: Filters) -> NDArray[np.int64]:
        """Ids, best first; raises ``StageError``. → (≤ k,)"""
        message = Wanted(history=pack_history(history), want=k, filters=filters)
        return np.array(self._call(RECALL_IDS, message, list[int]), np.int64)


class HttpRank(_Client):
    """Implements ``application.recommend.stages.RankService``."""

    def __init__(self, address: str, *, timeout_s: float, token: str = "") -> None:
        super().__init__("rank", address, timeout_s=timeout_s, token=token)

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
