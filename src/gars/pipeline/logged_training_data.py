"""Training lists of the ranking model from logged impressions, with the features they were ranked by."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gars.application.impressions.click_attribution import ranking_examples
from gars.application.ports import EventLog, ImpressionLog
from gars.domain import features, history, user_state
from gars.domain.features.taste import taste_of
from gars.domain.impression import Impression
from gars.domain.interaction import Interaction
from gars.domain.user_state import UserState
from gars.library.query import Models, profile_of
from gars.ranking.examples import NOT_ASKED, RankingList, RankingLists, joined, stack

FEWEST_LISTS = 200
"""With fewer usable lists the ranker learns from the data set alone."""

Before = Callable[[str], UserState | None]
"""The list a user brought from the data set, before their first live event."""


@dataclass(slots=True)
class LoggedTrainingData:
    """Blends what the service logged into the ranker's training lists; counts what it found.

    Use it as ``blend`` of ``FitHooks``. Only lists made by a model of ``versions`` count: another's features may
    mean something else.
    """

    impressions: ImpressionLog
    log: EventLog
    before: Before
    versions: frozenset[str]
    fewest: int = FEWEST_LISTS
    logged: int = 0
    """Lists in the log."""
    other: int = 0
    """Those of models with other features, or whose models are gone."""
    used: int = 0
    """Lists with at least one click, complete enough to blend."""
    places: int = 0
    """Places of these that were examined."""
    blended: bool = False

    def __call__(self, lists: RankingLists, models: Models) -> RankingLists:
        """The lists with those of the log after them, or as they were when there are too few.

        Raises:
            StorageError: a log cannot be read.
        """
        found = list(self._lists(models))
        self.used, self.places = len(found), sum(len(one.rows) for one in found)
        if self.used < self.fewest:
            return lists
        self.blended = True
        more = stack(
            iter(found),
            at_most=len(found),
            length=max(len(one.rows) for one in found),
            n_features=lists.features.shape[2],
            n_taste=lists.taste.shape[1],
        )
        return joined(lists, more)

    def summary(self) -> str:
        """Summarise the result in one line."""
        others = f", {self.other:,} of other models" if self.other else ""
        counts = f"{self.used:,} of {self.logged:,} logged lists say what was passed by for what{others}"
        if self.blended:
            return f"{counts}: the ranker learns from their {self.places:,} places too"
        return f"{counts}: fewer than {self.fewest:,}, so the ranker learns from the data set alone"

    def _lists(self, models: Models) -> Iterator[RankingList]:
        width = 4 * len(features.names(models.retriever.channel_names))
        shown: list[Impression] = []
        for one in self.impressions.read():
            self.logged += 1
            fits = all(len(item.features) == width for item in one.items if item.features)
            if one.model_version.partition("+")[0] in self.versions and fits:
                shown.append(one)
            else:
                self.other += 1
        events = [event for _, event in self.log.read()]
        found = ranking_examples(shown, events)
        tastes = self._tastes(found.shown, events, models)
        items = models.retriever.items
        rows = items.rows(found.anime_ids)
        bounds = np.searchsorted(found.lists, np.arange(len(found.shown) + 1))
        for number, (start, end) in enumerate(itertools.pairwise(bounds)):
            known = start + np.flatnonzero(rows[start:end] >= 0)
            taste, order = tastes[number], found.relevant[known]
            if taste is not None and 0 < order.sum() < len(order):
                unlabelled = np.full(len(known), NOT_ASKED, np.float32)
                yield RankingList(found.features[known], rows[known], taste, order, unlabelled)

    def _tastes(
        self, shown: Sequence[Impression], log: Sequence[Interaction], models: Models
    ) -> list[NDArray[np.float32] | None]:
        """The genre profile of each list's user when it was made; ``None`` where the log does not reach so far back."""
        by_user: defaultdict[str, list[int]] = defaultdict(list)
        for number, one in enumerate(shown):
            by_user[one.user_id].append(number)
        events_of: defaultdict[str, list[Interaction]] = defaultdict(list)
        for event in log:
            if event.user_id in by_user:
                events_of[event.user_id].append(event)
        items = models.retriever.items
        found: list[NDArray[np.float32] | None] = [None] * len(shown)
        for user_id, numbers in by_user.items():
            state = self.before(user_id) or UserState(user_id=user_id)
            events = iter(events_of[user_id])
            for number in sorted(numbers, key=lambda number: shown[number].state_version):
                wanted = shown[number].state_version
                while state.version < wanted and (following := next(events, None)) is not None:
                    state = user_state.apply(state, following)
                if state.version == wanted:
                    taste = taste_of(history.from_state(state), items, models.prior)
                    found[number] = profile_of(taste, items)
        return found
