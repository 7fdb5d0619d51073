"""Rebuild a state, and the list made from it, at a moment of the past: from the logs, bit for bit."""

from __future__ import annotations

from itertools import islice

from gars.application.ports import EventHistory
from gars.application.recommend.engine import Engine, Recommendation
from gars.application.recommend.explore import explored
from gars.application.recommend.list_request import ListRequest
from gars.domain import history, user_state
from gars.domain.errors import InvalidInputError
from gars.domain.impression import Impression
from gars.domain.user_state import UserState


def state_as_of(log: EventHistory, user_id: str, version: int, *, before: UserState | None = None) -> UserState:
    """Rebuild the state after a user's first ``version`` events, on top of the list they had ``before`` (version 0).

    Raises:
        InvalidInputError: the log holds fewer events of the user.
    """
    state = before or UserState(user_id=user_id)
    if state.version:
        raise InvalidInputError(
            f"the list of user {user_id!r} from before the log has version {state.version}",
            hint="it is the state a data set gives: version 0",
        )
    state = user_state.fold(state, (event for _, event in islice(log.read_user(user_id), version)))
    if state.version != version:
        raise InvalidInputError(
            f"the log holds {state.version} event(s) of user {user_id!r}, so version {version} cannot be rebuilt",
            hint="the log was cut or the user was forgotten",
        )
    return state


def list_as_of(
    impression: Impression, log: EventHistory, engine: Engine, *, before: UserState | None = None
) -> list[Recommendation]:
    """Rebuild the list of an impression with the same model.

    Raises:
        InvalidInputError: the engine is another model, the list came from a fallback, or the log is incomplete.
    """
    if engine.version != impression.model_version:
        raise InvalidInputError(
            f"the list was made by model {impression.model_version}, not by {engine.version}",
            hint="load that model: gars model list",
        )
    if impression.fallback is not None:
        raise InvalidInputError(
            f"the list came from the fallback {impression.fallback}", hint="only ranked lists can be made again"
        )
    state = state_as_of(log, impression.user_id, impression.state_version, before=before)
    request = ListRequest(
        user_id=impression.user_id,
        k=impression.k,
        offset=impression.offset,
        filters=impression.filters,
        request_id=impression.request_id,
    )
    return explored(engine, impression.explore, history.from_state(state), request)
