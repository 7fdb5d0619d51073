"""Export all data stored about a user."""

from __future__ import annotations

import msgspec

from gars.application.ports import Clock, EventHistory, ImpressionLog, StateStore
from gars.domain import user_export
from gars.domain.user_export import UserExport
from gars.domain.user_state import UserState


class ExportUser:
    """The use case behind ``GET /users/{id}/export``. Run it in the thread that writes, so that all parts agree."""

    def __init__(self, *, history: EventHistory, states: StateStore, impressions: ImpressionLog, clock: Clock) -> None:
        self._history = history
        self._states = states
        self._impressions = impressions
        self._clock = clock

    def __call__(self, user_id: str) -> UserExport:
        """Return the export, an empty one for an unknown user. Raises ``StorageError``."""
        state = self._states.get(user_id) or UserState(user_id=user_id)
        logged = tuple(event for _, event in self._history.read_user(user_id))
        return UserExport(
            user_id=user_id,
            exported=self._clock.now(),
            state=user_export.summary(state),
            earlier=user_export.unexplained(state, logged),
            interactions=logged,
            impressions=tuple(msgspec.to_builtins(one) for one in self._impressions.read(user_id=user_id)),
        )
