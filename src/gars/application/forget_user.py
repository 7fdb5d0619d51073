"""Delete everything that is known of a user."""

from __future__ import annotations

from dataclasses import dataclass

from gars.application.ports import EventLog, StateStore


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What was deleted."""

    events: int
    state: bool


class ForgetUser:
    """Forget a user: the state first, then the log, so that a crash between them is mended by asking again.

    A replay between the two could only bring back events the caller was not yet told are gone.
    """

    def __init__(self, *, log: EventLog, states: StateStore) -> None:
        self._log = log
        self._states = states

    def __call__(self, user_id: str) -> Forgotten:
        """Forget, in the thread that writes; asking twice is harmless. Raises ``StorageError``."""
        state = self._states.forget(user_id)
        return Forgotten(events=self._log.forget(user_id), state=state)
