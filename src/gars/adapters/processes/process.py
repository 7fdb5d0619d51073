"""One process that makes lists, as the service holds it."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import TypeVar

import msgspec

from gars.application.list_messages import Answer, ListWanted, decode_answer, decode_serving, encode

T = TypeVar("T")

Target = Callable[[Connection], None]
"""What a process runs: opens the model, then ``child.answer_all``. It is pickled, so it must be importable."""

_END_WITHIN_S = 5.0

_context = multiprocessing.get_context("spawn")  # forking a process that has threads may copy a lock that is held


class GoneError(Exception):
    """The process has ended, or what it says makes no sense."""


class ListProcess:
    """A process and the pipe to it. It answers one question at a time."""

    def __init__(self, target: Target) -> None:
        """Start it; raises ``OSError`` if the system has no room for another."""
        self._pipe, its = _context.Pipe()
        self._process = _context.Process(target=target, args=(its,), name="gars-lists", daemon=True)
        try:
            self._process.start()
        except OSError:
            self._pipe.close()
            raise
        finally:
            its.close()  # or this end would never hear that the other has gone

    @property
    def exit_code(self) -> int | None:
        """How it ended; negative for a signal."""
        return self._process.exitcode

    @property
    def pid(self) -> int:
        """Of the process."""
        return self._process.pid or 0

    def opened(self, *, within_s: float) -> str:
        """Wait until it is ready. → the version of its model

        Raises:
            TimeoutError: it is not ready yet.
            GoneError: it ended.
        """
        return self._read(decode_serving, within_s).model_version

    def ask(self, wanted: ListWanted, *, within_s: float | None) -> Answer:
        """What it says to a question.

        Raises:
            TimeoutError: nothing yet; it cannot be asked again.
            GoneError: it ended.
        """
        try:
            self._pipe.send_bytes(encode(wanted))
        except OSError as error:
            raise GoneError(str(error)) from error
        return self._read(decode_answer, within_s)

    def leave(self) -> None:
        """Close the pipe, upon which it ends by itself."""
        self._pipe.close()

    def end(self) -> None:
        """Leave it and wait for its end; kill it if that does not come."""
        self.leave()
        self._process.join(_END_WITHIN_S)
        if self._process.is_alive():
            self.kill()

    def kill(self) -> None:
        """SIGKILL: whatever it is doing is nobody's."""
        self.leave()
        self._process.kill()
        self._process.join()

    def _read(self, decode: Callable[[bytes], T], within_s: float | None) -> T:
        try:
            if self._pipe.poll(within_s):
                return decode(self._pipe.recv_bytes())
        except (EOFError, OSError, msgspec.DecodeError) as error:
            raise GoneError(str(error) or "it ended") from error
        raise TimeoutError(f"nothing within {within_s:g} s")
