"""Handle of one worker process in the service."""

from __future__ import annotations

import multiprocessing
import threading
from collections.abc import Callable
from typing import TypeVar

import msgspec

from gars.adapters.processes.child import Target, run
from gars.application.recommend.list_messages import Answer, decode_answer, decode_serving

T = TypeVar("T")

_END_WITHIN_S = 5.0

_context = multiprocessing.get_context("spawn")  # forking a process that has threads may copy a lock that is held


class GoneError(Exception):
    """The process has ended, or its message cannot be decoded."""


class ListProcess:
    """A worker process and the pipe to it. It answers requests in order."""

    def __init__(self, target: Target, cores: frozenset[int]) -> None:
        """Start it on these cores, none for any; raises ``OSError`` if the system cannot start another process."""
        self.in_hand = 0
        """Number of unanswered requests, counted by the pool."""
        self._sending = threading.Lock()
        self._latest = threading.Event()
        """Set when the latest request has been answered."""
        self._latest.set()
        self._pipe, its = _context.Pipe()
        self._process = _context.Process(target=run, args=(target, cores, its), name="gars-lists", daemon=True)
        try:
            self._process.start()
        finally:
            its.close()  # or this end would not be notified when the other closes

    @property
    def exit_code(self) -> int | None:
        """Return the exit code; negative for a signal."""
        return self._process.exitcode

    def opened(self, *, within_s: float) -> str:
        """Wait until it is ready. → the version of its model

        Raises:
            TimeoutError: it is not ready yet.
            GoneError: it ended.
        """
        return self._read(decode_serving, within_s).model_version

    def ask(self, asked: bytes, *, within_s: float | None) -> Answer:
        """Send a request (encoded ``ListWanted``) and return its answer. Any thread may call, also while another waits.

        Raises:
            TimeoutError: no answer in time; the worker must not be used again.
            GoneError: it ended.
        """
        answered = threading.Event()
        try:
            with self._sending:
                self._send(asked)
                before, self._latest = self._latest, answered
            if not before.wait(within_s):
                raise _late(within_s)
            return self._read(decode_answer, within_s)
        finally:
            answered.set()

    def leave(self) -> None:
        """Close the pipe, so that the process ends by itself. Call it only without pending requests."""
        self._pipe.close()

    def end(self) -> None:
        """Close the pipe and wait for the process to end."""
        self.leave()
        self.wait_for_end()

    def wait_for_end(self) -> None:
        """Wait for the process to end; kill it after the time limit."""
        self._process.join(_END_WITHIN_S)
        if self._process.is_alive():
            self.kill()

    def kill(self) -> None:
        """Send SIGKILL; waiting callers get ``GoneError``."""
        self._process.kill()
        self._process.join()

    def _send(self, asked: bytes) -> None:
        try:
            self._pipe.send_bytes(asked)
        except OSError as error:
            raise GoneError(_reason(error)) from error

    def _read(self, decode: Callable[[bytes], T], within_s: float | None) -> T:
        try:
            if self._pipe.poll(within_s):
                return decode(self._pipe.recv_bytes())
        except (EOFError, OSError, msgspec.DecodeError) as error:
            raise GoneError(_reason(error)) from error
        raise _late(within_s)


def _reason(error: Exception) -> str:
    """Return one text for the several errors of a closed pipe, else the error's text."""
    return "it ended" if isinstance(error, (EOFError, ConnectionError)) else str(error)


def _late(within_s: float | None) -> TimeoutError:
    return TimeoutError(f"nothing within {within_s or 0:g} s")
