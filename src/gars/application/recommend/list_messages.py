"""Messages between the service and the processes that make lists for it, as MessagePack."""

from __future__ import annotations

import msgspec

from gars.application.recommend.engine import Recommendation
from gars.application.recommend.list_request import ListRequest
from gars.application.recommend.stage_messages import Array, pack_history, unpack_history
from gars.domain.history import History
from gars.runtime.stage_times import Stage


class Serving(msgspec.Struct, frozen=True, tag=True):
    """A process is ready to serve this model."""

    model_version: str


class ListWanted(msgspec.Struct, frozen=True, gc=False):
    """Request for the list of a history."""

    history: dict[str, Array]
    request: ListRequest


class ListMade(msgspec.Struct, frozen=True, tag=True):
    """A list, and the time of each of its stages."""

    items: list[Recommendation]
    milliseconds: dict[Stage, float]


class ListRefused(msgspec.Struct, frozen=True, tag=True):
    """Error of an invalid request."""

    message: str
    hint: str | None


class ListFailed(msgspec.Struct, frozen=True, tag=True):
    """The model raised; the process has logged the error."""

    message: str


Answer = ListMade | ListRefused | ListFailed

encode = msgspec.msgpack.Encoder().encode
decode_serving = msgspec.msgpack.Decoder(Serving).decode
decode_wanted = msgspec.msgpack.Decoder(ListWanted).decode
_answers: msgspec.msgpack.Decoder[Answer] = msgspec.msgpack.Decoder(Answer)
decode_answer = _answers.decode


def wanted(history: History, request: ListRequest) -> ListWanted:
    """Return the message that requests a list."""
    return ListWanted(pack_history(history), request)


def history_of(wanted: ListWanted) -> History:
    """Return the history of a request."""
    return unpack_history(wanted.history)
