"""Loop of a worker process: receive a request, compute its list, send it, until the pipe is closed."""

from __future__ import annotations

import logging
import signal
from collections.abc import Callable
from multiprocessing.connection import Connection

from msgspec.json import encode as as_json
from msgspec.structs import replace

from gars.adapters.processes.cores import stay_on
from gars.application.recommend.engine import Engine
from gars.application.recommend.list_messages import (
    Answer,
    ListFailed,
    ListMade,
    ListRefused,
    ListWanted,
    Serving,
    decode_wanted,
    encode,
    history_of,
)
from gars.domain.errors import InvalidInputError
from gars.runtime.stage_times import measuring

Target = Callable[[Connection], None]
"""Function that a worker runs: load the model, then ``answer_all``. It is pickled, so it must be importable."""

logger = logging.getLogger(__name__)


def run(target: Target, cores: frozenset[int], pipe: Connection) -> None:
    """Set signals and CPU affinity of a worker, then run its target."""
    # Ctrl-C reaches every process of a terminal: this one ends when the service, having finished, closes the pipe
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    stay_on(cores)
    target(pipe)


def answer_all(engine: Engine, pipe: Connection) -> None:
    """Send a ready message, then answer requests until the other end is closed."""
    pipe.send_bytes(encode(Serving(engine.version)))
    while True:
        try:
            received = pipe.recv_bytes()
        except (EOFError, OSError):  # the service has ended, however it did
            return
        answer = encode(_answer(engine, decode_wanted(received)))
        try:
            pipe.send_bytes(answer)
        except OSError:
            return


def _answer(engine: Engine, asked: ListWanted) -> Answer:
    try:
        with measuring() as times:
            items = engine.recommend_history(history_of(asked), asked.request)
    except InvalidInputError as error:
        return ListRefused(error.message, error.hint)
    except Exception as error:
        logger.exception("a list could not be made")
        return ListFailed(f"{type(error).__name__}: {error}")
    # there are a hundred reasons to a list, and the service only writes them
    return ListMade([replace(one, reasons=(), reasons_json=as_json(one.reasons)) for one in items], times.milliseconds)
