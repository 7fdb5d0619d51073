"""The search: who is tried, who goes on, and that it goes on where it was stopped."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import count

import numpy as np
import pytest

from gars.application.training_log import TrainingLog
from gars.application.trials import SHARES, Outcome, Setting, Trial
from gars.domain.metrics import Interval
from gars.runtime.progress import Silent
from gars.tuning.search import (
    DRAWS_PER_STAGE_ONE,
    Choice,
    Range,
    Space,
    Verdict,
    draw,
    finalists,
    next_trial,
    search,
)
from gars.tuning.trial_journal import TrialJournal

SPACE: Space = {
    "ranking.rate": Range(1e-4, 1e-1, log=True),
    "ranking.width": Choice((8, 16, 32)),
    "retrieval.dim": Range(16, 64, whole=True),
}
LAST = len(SHARES) - 1


def slow(name: str) -> bool:
    return name.startswith("retrieval.")


class Kept(TrialJournal):
    """A journal in memory."""

    def __init__(self) -> None:
        self.kept: list[Outcome] = []

    def outcomes(self) -> list[Outcome]:
        return list(self.kept)

    def append(self, outcome: Outcome) -> None:
        self.kept.append(outcome)


def worth(settings: Mapping[str, Setting], share: float, _curves: Callable[[str], TrainingLog | None]) -> Verdict:
    """Best at a rate of 0.01 and a width of 32; a little noise that depends on the share."""
    rate, width = settings.get("ranking.rate", 1e-3), settings.get("ranking.width", 8)
    score = 1 - 0.1 * abs(np.log10(rate) + 2) + 0.01 * width / 32 - 0.001 * share
    return Verdict(float(score), {"auc": Interval(score, score - 0.01, score + 0.01)})


def run(journal: Kept, objective: Callable[..., Verdict] = worth, **changes: object) -> list[Outcome]:
    ticks = count()
    settings: dict[str, object] = {"n_trials": 12, "seed": 3, "seconds": lambda: float(next(ticks)), **changes}
    return search(SPACE, objective, journal, slow=slow, progress=Silent(), **settings)  # type: ignore[arg-type]


def test_the_unchanged_settings_come_first_and_go_all_the_way() -> None:
    outcomes = run(Kept())
    assert [outcome.trial for outcome in outcomes[:2]] == [Trial(0, 0), Trial(0, 1)]
    assert outcomes[0].settings == {}


def test_every_draw_is_tried_and_the_best_third_on_all_users() -> None:
    outcomes = run(Kept())
    first = [outcome for outcome in outcomes if outcome.trial.rung == 0]
    assert sorted(outcome.trial.number for outcome in first) == list(range(12))
    last = {outcome.trial.number for outcome in outcomes if outcome.trial.rung == LAST}
    best = sorted(first, key=lambda outcome: -(outcome.score or 0))[:4]
    assert {outcome.trial.number for outcome in best} <= last
    assert len(last) <= 12 // 3 + 3  # a few were among the best third of what had been seen by then


def test_it_finds_better_settings_than_it_began_with() -> None:
    best = finalists(run(Kept()))[0]
    assert best.trial.number != 0
    assert abs(np.log10(best.settings["ranking.rate"]) + 2) < 0.7


def test_stopped_anywhere_it_ends_as_if_it_never_was() -> None:
    whole = run(Kept())
    for stop in range(len(whole)):
        journal, calls = Kept(), count()

        def interrupted(*arguments: object, calls: count[int] = calls, stop: int = stop) -> Verdict:
            if next(calls) == stop:
                raise KeyboardInterrupt
            return worth(*arguments)  # type: ignore[arg-type]

        with pytest.raises(KeyboardInterrupt):
            run(journal, interrupted)
        assert len(journal.kept) == stop
        assert [(o.trial, o.settings, o.score) for o in run(journal)] == [(o.trial, o.settings, o.score) for o in whole]


def test_more_trials_go_on_from_fewer() -> None:
    journal = Kept()
    few = {(outcome.trial, outcome.score) for outcome in run(journal, n_trials=5)}
    assert few < {(outcome.trial, outcome.score) for outcome in run(journal)}


def test_a_trial_that_fails_is_an_outcome_and_never_goes_on() -> None:
    def fails(settings: Mapping[str, Setting], share: float, curves: Callable[[str], TrainingLog | None]) -> Verdict:
        if settings.get("ranking.width") == 16:
            raise ValueError("too wide")
        return worth(settings, share, curves)

    outcomes = run(Kept(), fails)
    failed = [outcome for outcome in outcomes if outcome.status == "failed"]
    assert failed
    assert {outcome.error for outcome in failed} == {"ValueError: too wide"}
    assert all(outcome.trial.rung == 0 and outcome.score is None for outcome in failed)
    assert all(outcome.settings.get("ranking.width") != 16 for outcome in finalists(outcomes))


def test_what_the_unchanged_settings_fail_with_is_an_error() -> None:
    def fails(*_: object) -> Verdict:
        raise ValueError("no data")

    with pytest.raises(ValueError, match="no data"):
        run(Kept(), fails)


def test_after_the_deadline_nothing_starts_but_what_is_needed_for_an_answer() -> None:
    outcomes = run(Kept(), deadline=0.0)
    assert [outcome.trial for outcome in outcomes] == [Trial(0, 0), Trial(0, 1)]


def test_draws_keep_to_the_space_and_depend_on_seed_and_number_alone() -> None:
    drawn = [draw(SPACE, seed=0, number=number, slow=slow) for number in range(1, 200)]
    assert drawn == [draw(SPACE, seed=0, number=number, slow=slow) for number in range(1, 200)]
    assert drawn[0] != draw(SPACE, seed=1, number=1, slow=slow)
    rates = np.array([one["ranking.rate"] for one in drawn])
    assert rates.min() >= 1e-4
    assert rates.max() <= 1e-1
    assert 0.3 < np.mean(rates < 10**-2.5) < 0.7  # as many below the middle of the scale as above
    assert {one["ranking.width"] for one in drawn} == {8, 16, 32}
    assert all(isinstance(one["retrieval.dim"], int) and 16 <= one["retrieval.dim"] <= 64 for one in drawn)


def test_what_is_slow_to_change_is_shared_by_draws_in_a_row() -> None:
    drawn = [draw(SPACE, seed=0, number=number, slow=slow) for number in range(1, 1 + 3 * DRAWS_PER_STAGE_ONE)]
    dims = [one["retrieval.dim"] for one in drawn]
    for start in range(0, len(dims), DRAWS_PER_STAGE_ONE):
        assert len(set(dims[start : start + DRAWS_PER_STAGE_ONE])) == 1
    assert len(set(dims)) > 1
    assert len({one["ranking.rate"] for one in drawn}) == len(drawn)
    alone = [draw({"retrieval.dim": SPACE["retrieval.dim"]}, seed=0, number=n, slow=slow) for n in range(1, 9)]
    assert len({one["retrieval.dim"] for one in alone}) > 2


def test_one_trial_is_enough() -> None:
    assert next_trial([], 1) == Trial(0, 0)
    outcomes = run(Kept(), n_trials=1)
    assert next_trial(outcomes, 1) is None
    assert finalists(outcomes)[0].settings == {}
