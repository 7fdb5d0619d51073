"""Rebuild the user states from the event log while requests are served: after the state store was lost.

A thread folds the users' events, one user after the other in ascending order of their ids, and stores the states with
a checkpoint: the last user whose state holds everything. A user who is read before their turn is folded from the log
for that read. A user who clicks before their turn has their state in memory until it comes; the log holds the click.

After a crash the rebuild continues after the checkpoint. The store has three of them:
  ``APPLIED_OFFSET``  states of all users hold the events up to this offset
  ``REBUILT_USER``    states of the users up to this one hold more:
  ``REBUILT_OFFSET``  the events up to this offset
"""

from __future__ import annotations

import heapq
import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import islice

from gars.application.events.recover import applied_offset, recover_users
from gars.application.ports import APPLIED_OFFSET, REBUILT_OFFSET, REBUILT_USER, LocalEventLog, StateStore
from gars.domain import user_state
from gars.domain.errors import StorageError
from gars.domain.interaction import Interaction
from gars.domain.user_state import UserState

logger = logging.getLogger(__name__)

AT_ONCE = 5_000
"""Events that are replayed before the port opens, in less than a second."""
_STEP = 1_000
"""Events of a step, after which the next user's are folded in a step of their own."""
_REST = 1.0
"""Pause after a step in parts of its time: requests need the interpreter too."""
_RETRY_S = 1.0
_REPORT_S = 10.0
"""Seconds between two lines of progress in the log."""


def is_far_behind(log: LocalEventLog, states: StateStore) -> bool:
    """Return whether the states lack so many events that they are rebuilt while requests are served."""
    return bool(states.checkpoint(REBUILT_USER)) or log.last_offset() - applied_offset(states) > AT_ONCE


class RebuildingStates:
    """A ``StateStore`` over one that is far behind the log; it reads and writes as if every event were applied.

    One thread at a time writes, any thread reads.
    """

    def __init__(
        self,
        log: LocalEventLog,
        store: StateStore,
        *,
        at_hand: Callable[[str], UserState | None] = lambda _: None,
        most_ahead: int = 5_000,
    ) -> None:
        """Prepare to begin or to continue a rebuild. ``put`` of the store must be one transaction.

        ``at_hand`` returns a state that the store has in memory. ``most_ahead`` is the number of states in memory of
        users who clicked before their turn; beyond it the writer folds users too.

        Raises:
            StorageError: the log or the store failed.
        """
        self._log = log
        self._store = store
        self._at_hand = at_hand
        self._most_ahead = most_ahead
        self._applied = applied_offset(store)
        """Offset up to which the states of all users hold the events."""
        self._user: str | None = store.checkpoint(REBUILT_USER) or ""
        """Last user whose state in the store holds everything; ``None`` at the end of the rebuild."""
        self._moving_to: str | None = self._user
        """Last user of the states that are being stored."""
        self._live = log.last_offset()
        """Offset of the newest event that readers see in the states."""
        self._newest_at_start = self._live
        if self._user:
            recover_users(log, store)
        self._ahead: dict[str, UserState] = {}
        self._forgotten: set[str] = set()
        """Users deleted since the start: their events up to ``_newest_at_start`` are not folded."""
        self._turn = threading.Lock()
        """Held while the store is changed."""
        self._unfolded: Iterator[tuple[str, list[Interaction]]] | None = None
        """The next users and their events."""
        self._folded = 0
        self._error: StorageError | None = None
        """Error of the latest step."""
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="gars-rebuild", daemon=True)

    def start(self) -> None:
        """Fold the users in a thread; until then they are folded for each read."""
        self._thread.start()

    @property
    def problem(self) -> str | None:
        """Progress since the start; ``None`` at the end. After a crash there are fewer events left than the log has."""
        if self._user is None:
            return None
        most = self._newest_at_start - self._applied
        waits = "" if self._error is None else f"; it waits: {self._error.message}"
        return f"being rebuilt from the event log: {self._folded:,} of {most:,} events{waits}"

    def get(self, user_id: str) -> UserState | None:
        """Return the state with every event: from the store, from memory, or folded from the log for this read."""
        if self._is_stored(user_id):
            return self._store.get(user_id)
        ahead = self._ahead.get(user_id)
        if ahead is not None:
            return ahead
        state = None if user_id in self._forgotten else self._fold(user_id)
        if self._moving_to is None or user_id <= self._moving_to:
            # it was being stored during the fold, which may have counted its events twice
            with self._turn:
                pass
            return self.get(user_id)
        return self._ahead.get(user_id) if user_id in self._forgotten else state

    def at_hand(self, user_id: str) -> UserState | None:
        """Return the state if it is in memory and holds every event."""
        return self._at_hand(user_id) if self._is_stored(user_id) else self._ahead.get(user_id)

    def get_many(self, user_ids: Sequence[str]) -> dict[str, UserState]:
        """Return states one by one: reads are local."""
        found = ((user_id, self.get(user_id)) for user_id in user_ids)
        return {user_id: state for user_id, state in found if state is not None}

    def put(self, states: Sequence[UserState], *, checkpoints: Mapping[str, str] | None = None) -> None:
        """Store states of users whose turn was; those of the others stay in memory until it comes."""
        with suppress(StorageError):  # what waits stays in memory
            while len(self._ahead) >= self._most_ahead and self.step():
                pass
        with self._turn:
            if self._user is None:
                self._store.put(states, checkpoints=checkpoints)
                return
            marks = dict(checkpoints or {})
            live = int(marks.pop(APPLIED_OFFSET, self._live))
            self._store.put(
                [state for state in states if self._is_stored(state.user_id)],
                checkpoints=marks | {REBUILT_OFFSET: str(live)},
            )
            self._live = live
            for state in states:
                before = self._ahead.get(state.user_id)
                if not self._is_stored(state.user_id) and (before is None or before.version <= state.version):
                    self._ahead[state.user_id] = state

    def put_initial(self, states: Sequence[UserState]) -> int:
        """Store initial states of users without live events."""
        with self._turn:
            allowed = [
                state for state in states if self._is_stored(state.user_id) or not self._has_events(state.user_id)
            ]
            return self._store.put_initial(allowed)

    def checkpoint(self, name: str) -> str | None:
        """Return a checkpoint as readers see the states: every event is applied."""
        if name == APPLIED_OFFSET and self._user is not None:
            return str(self._live)
        return self._store.checkpoint(name)

    def user_ids(self, *, limit: int, after: str = "") -> list[str]:
        """Return ids from the store and, until the end of the rebuild, from the log."""
        stored = self._store.user_ids(limit=limit, after=after)
        if self._user is None:
            return stored
        in_log = islice((one for one in self._log.users(after=after) if one not in self._forgotten), limit)
        ahead = sorted(user_id for user_id in list(self._ahead) if user_id > after)
        return list(dict.fromkeys(heapq.merge(stored, in_log, ahead)))[:limit]

    def forget(self, user_id: str) -> bool:
        """Delete a state; what the log still has of the user is not folded again."""
        try:
            is_known = self.get(user_id) is not None
        except StorageError:
            is_known = True  # what cannot be read can be deleted
        with self._turn:
            while self._user == user_id:  # the checkpoint must not hold the id of a deleted user
                self._step()
            is_stored = self._store.forget(user_id)
            if self._user is not None:
                self._forgotten.add(user_id)
                self._ahead.pop(user_id, None)
        return is_stored or is_known

    def check(self) -> None:
        """Check that states can be written."""
        self._store.check()

    def close(self) -> None:
        """End the rebuild, which goes on at the next start, and close the store."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()
        self._store.close()

    def step(self) -> bool:
        """Fold and store the next users. → whether any may be left

        Raises:
            StorageError: the log or the store failed; nothing changed.
        """
        with self._turn:
            if self._user is not None:
                self._step()
            return self._user is not None

    def _step(self) -> None:
        if self._unfolded is None:
            self._unfolded = self._log.read_by_user(
                after_user=self._user or "", after=self._applied, up_to=self._newest_at_start
            )
        try:
            self._fold_next(self._unfolded)
        except BaseException:
            self._unfolded = None  # begin again after the last user who was stored
            raise

    def _fold_next(self, unfolded: Iterator[tuple[str, list[Interaction]]]) -> None:
        states: dict[str, UserState] = {}
        count = 0
        for user_id, events in unfolded:
            if user_id not in self._forgotten:
                before = self._store.get(user_id) or UserState(user_id=user_id)
                states[user_id] = user_state.fold(before, events)
            count += len(events)
            if count >= _STEP:
                self._store_up_to(user_id, states)
                break
        else:
            self._finish(states)
        self._folded += count

    def _store_up_to(self, user_id: str, states: Mapping[str, UserState]) -> None:
        """Store states, and the checkpoint: users up to ``user_id`` hold everything."""
        ahead = {name: state for name, state in self._ahead.items() if name <= user_id}
        self._moving_to = user_id
        try:
            self._store.put(
                list({**states, **ahead}.values()),
                checkpoints={REBUILT_USER: user_id, REBUILT_OFFSET: str(self._live)},
            )
        except BaseException:
            self._moving_to = self._user
            raise
        self._user = user_id
        for name in ahead:
            del self._ahead[name]

    def _finish(self, states: Mapping[str, UserState]) -> None:
        """Store the last states; from now on the store alone holds everything."""
        self._moving_to = None
        try:
            self._store.put(
                list({**states, **self._ahead}.values()),
                checkpoints={APPLIED_OFFSET: str(self._live), REBUILT_USER: "", REBUILT_OFFSET: "0"},
            )
        except BaseException:
            self._moving_to = self._user
            raise
        self._user = None
        self._ahead.clear()
        self._forgotten.clear()

    def _has_events(self, user_id: str) -> bool:
        return user_id in self._ahead or next(self._log.read_user(user_id), None) is not None

    def _is_stored(self, user_id: str) -> bool:
        user = self._user
        return user is None or user_id <= user

    def _fold(self, user_id: str) -> UserState | None:
        """Fold a user's events up to the start of the rebuild over their state in the store."""
        events = [
            event for offset, event in self._log.read_user(user_id) if self._applied < offset <= self._newest_at_start
        ]
        before = self._store.get(user_id)
        return user_state.fold(before or UserState(user_id=user_id), events) if events else before

    def _run(self) -> None:
        started = reported = time.monotonic()
        is_left = True
        while is_left and not self._stop.is_set():
            begun = time.monotonic()
            try:
                is_left, self._error = self.step(), None
            except StorageError as error:
                self._error = error
                logger.warning("the rebuild of the user states waits: %s", error.message)
                self._stop.wait(_RETRY_S)
                continue
            now = time.monotonic()
            if is_left and now - reported > _REPORT_S:
                reported = now
                logger.warning("user states are %s", self.problem)
            self._stop.wait(_REST * (now - begun) if is_left else 0)
        if not is_left:
            logger.warning(
                "rebuilt the user states from %d event(s) in %.0f s", self._folded, time.monotonic() - started
            )
