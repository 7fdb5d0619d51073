"""One process that makes lists, as the service holds it."""

from __future__ import annotations

import multiprocessing
import threading
from collections.abc import Callable
from typing import TypeVar

import msgspec

from gars.adapters.processes.child import Target, run
from gars.application.list_messages import Answer, decode_answer, decode_serving

T = TypeVar("T")

_END_WITHIN_S = 5.0

_context = multiprocessing.get_context("spawn")  # forking a process that has threads may copy a lock that is held


class GoneError(Exception):
    """The process has ended, or what it says makes no sense."""


class ListProcess:
    """A process and the pipe to it. It answers questions in the order in which they came."""

    def __init__(self, target: Target, cores: frozenset[int]) -> None:
        """Start it on these cores, none for any; raises ``OSError`` if the system has no room for another."""
        self.in_hand = 0
        """Questions that it has not answered: whoever shares it out counts them."""
        self._sending = threading.Lock()
        self._latest = threading.Event()
        """Set when the latest question has been answered."""
        self._latest.set()
        self._pipe, its = _context.Pipe()
        self._process = _context.Process(target=run, args=(target, cores, its), name="gars-lists", daemon=True)
        try:
            self._process.start()
        finally:
            its.close()  # or this end would never hear that the other has gone

    @property
    def exit_code(self) -> int | None:
        """How it ended; negative for a signal."""
        return self._process.exitcode

    def opened(self, *, within_s: float) -> str:
        """Wait until it is ready. → the version of its model

        Raises:
            TimeoutError: it is not ready yet.
            GoneError: it ended.
        """
        return self._read(decode_serving, within_s).model_version

    def ask(self, asked: bytes, *, within_s: float | None) -> Answer:
        """What it says to a question (``ListWanted``, encoded). Any thread may ask, also while another waits.

        Raises:
            TimeoutError: nothing yet; it cannot be asked again.
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
        """Close the pipe, upon which it ends by itself. Only when nobody waits for an answer."""
        self._pipe.close()

    def end(self) -> None:
        """Leave it, and wait for its end."""
        self.leave()
        self.wait_for_end()

    def wait_for_end(self) -> None:
        """Kill it if that does not come by itself."""
        self._process.join(_END_WITHIN_S)
        if self._process.is_alive():
            self.kill()

    def kill(self) -> None:
        """SIGKILL: whatever it is doing is nobody's. Those who wait hear that it is gone."""
        self._process.kill()
        self._process.join()

    def _send(self, asked: bytes) -> None:
        try:
            self._pipe.send_bytes(asked)
        except OSError as error:
            raise GoneError(_told(error)) from error

    def _read(self, decode: Callable[[bytes], T], within_s: float | None) -> T:
        try:
            if self._pipe.poll(within_s):
                return decode(self._pipe.recv_bytes())
        except (EOFError, OSError, msgspec.DecodeError) as error:
            raise GoneError(_told(error)) from error
        raise _late(within_s)


def _told(error: Exception) -> str:
    """A pipe whose other end was closed says so in several ways."""
    return "it ended" if isinstance(error, (EOFError, ConnectionError)) else str(error)


def _late(within_s: float | None) -> TimeoutError:
    return TimeoutError(f"nothing within {within_s or 0:g} s")
