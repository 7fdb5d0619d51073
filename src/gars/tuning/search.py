"""Hyperparameter search: random draws, and successive halving over the share of users they are evaluated on.

Every draw is first evaluated on a share of the users, and only the best are promoted to more of them. The next trial is
a pure function of the outcomes so far (Li et al., "A System for Massively Parallel Hyperparameter Tuning", MLSys 2020,
with one worker), so an interrupted search can be resumed. Trial 0 has the default settings and is always promoted.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

import msgspec
import numpy as np

from gars.application.training_log import TrainingLog
from gars.application.trials import SHARES, Outcome, Session, Setting, Trial
from gars.domain.metrics import Interval
from gars.runtime.progress import Progress
from gars.tuning.trial_journal import TrialJournal

KEPT = 3
"""Reduction factor: one in this many is promoted to the next rung."""
DRAWS_PER_STAGE_ONE = 8
"""Number of successive draws that share the slow settings."""


class Choice(msgspec.Struct, frozen=True, tag="choice"):
    """One of several values, with equal probability."""

    values: tuple[Setting, ...]

    def draw(self, rng: np.random.Generator) -> Setting:
        """Draw one value."""
        return self.values[int(rng.integers(len(self.values)))]


class Range(msgspec.Struct, frozen=True, tag="range"):
    """A number between two bounds, both included; ``log``: uniform in the logarithm."""

    low: float
    high: float
    log: bool = False
    whole: bool = False

    def draw(self, rng: np.random.Generator) -> Setting:
        """Draw one number, rounded to three significant digits."""
        low, high = (self.low - 0.5, self.high + 0.5) if self.whole and not self.log else (self.low, self.high)
        value = math.exp(rng.uniform(math.log(low), math.log(high))) if self.log else rng.uniform(low, high)
        if self.whole:
            return int(np.clip(round(value), self.low, self.high))
        return float(np.clip(float(f"{value:.3g}"), self.low, self.high))


Space = Mapping[str, Choice | Range]
"""Search space, by the dotted name of the setting."""


def draw(space: Space, *, seed: int, number: int, slow: Callable[[str], bool]) -> dict[str, Setting]:
    """Draw the settings of a trial; successive draws share the ``slow`` ones if there are others to vary."""
    if number == 0:
        return {}
    apart = DRAWS_PER_STAGE_ONE if any(not slow(name) for name in space) else 1
    streams = {
        True: np.random.default_rng([seed, 1, (number - 1) // apart]),
        False: np.random.default_rng([seed, 2, number]),
    }
    return {name: space[name].draw(streams[slow(name)]) for name in sorted(space)}


class Verdict(msgspec.Struct, frozen=True):
    """Score and metrics of a set of settings."""

    score: float
    metrics: dict[str, Interval]


Objective = Callable[[Mapping[str, Setting], float, Callable[[str], TrainingLog | None]], Verdict]
"""Scores some settings on a share of the users; the last argument returns the log of each fit by its name."""


class Unwatched:
    """A ``Session`` that does nothing."""

    def curves(self, _fit: str) -> TrainingLog | None:
        """Return no log."""
        return None

    def end(self, _outcome: Outcome) -> None:
        """Do nothing."""

    def stop(self) -> None:
        """Do nothing."""


def next_trial(outcomes: Sequence[Outcome], n_trials: int) -> Trial | None:
    """Return the next trial: a promotion to the highest possible rung, else the next draw, else ``None``."""
    begun = {outcome.trial.number for outcome in outcomes}
    drawn = sum(number < n_trials for number in begun) == n_trials
    for rung in reversed(range(len(SHARES) - 1)):
        tried = ranked([outcome for outcome in outcomes if outcome.trial.rung == rung])
        earned = max(int(drawn and bool(tried)), len(tried) // KEPT)
        above = {outcome.trial.number for outcome in outcomes if outcome.trial.rung == rung + 1}
        for place, outcome in enumerate(tried):
            number = outcome.trial.number
            if (place < earned or number == 0) and number not in above:
                return Trial(number, rung + 1)
    return None if drawn else Trial(next(number for number in range(n_trials) if number not in begun), 0)


def ranked(outcomes: Sequence[Outcome]) -> list[Outcome]:
    """Return the outcomes with a score, best first; ties by number."""
    done = [outcome for outcome in outcomes if outcome.score is not None]
    return sorted(done, key=lambda outcome: (-(outcome.score or 0.0), outcome.trial.number))


def finalists(outcomes: Sequence[Outcome]) -> list[Outcome]:
    """Return the outcomes on all users, best first."""
    return ranked([outcome for outcome in outcomes if outcome.trial.rung == len(SHARES) - 1])


def search(
    space: Space,
    objective: Objective,
    journal: TrialJournal,
    *,
    slow: Callable[[str], bool],
    n_trials: int,
    seed: int,
    seconds: Callable[[], float],
    deadline: float = math.inf,
    start_session: Callable[[Trial, Mapping[str, Setting]], Session] | None = None,
    progress: Progress,
    on_outcome: Callable[[Outcome], None] = lambda _outcome: None,
) -> list[Outcome]:
    """Run trials until all are done or the deadline has passed; returns all outcomes of the journal.

    Each new outcome is passed to the callback, the last argument.

    Args:
        space: the search space.
        objective: scores settings.
        journal: its outcomes are not evaluated again.
        slow: returns true for a setting that is slow to change.
        n_trials: number of sets of settings, including the defaults.
        seed: of the draws.
        seconds: a monotonic clock.
        deadline: by that clock; no trial starts after it but the first on all users.
        start_session: starts the observer of a trial.
        progress: shows the running trial.

    Raises:
        Exception: the error of trial 0; an error of another trial is its outcome.
    """
    outcomes = journal.outcomes()
    while (trial := next_trial(outcomes, n_trials)) is not None:
        if seconds() >= deadline and finalists(outcomes):
            break
        settings = draw(space, seed=seed, number=trial.number, slow=slow)
        session = start_session(trial, settings) if start_session else Unwatched()
        try:
            with progress.task(f"trial {trial.number} on {trial.share:.0%} of the users"):
                outcome = _tried(trial, settings, objective, session, seconds)
        except BaseException:
            session.stop()
            raise
        journal.append(outcome)
        session.end(outcome)
        outcomes.append(outcome)
        on_outcome(outcome)
    return outcomes


def _tried(
    trial: Trial, settings: dict[str, Setting], objective: Objective, session: Session, seconds: Callable[[], float]
) -> Outcome:
    """Run a trial and return its outcome, which may be a failure; an error of the default settings is raised."""
    began = seconds()
    try:
        verdict = objective(settings, trial.share, session.curves)
    except Exception as error:
        if trial.number == 0:
            raise
        failed = f"{type(error).__name__}: {error}"
        return Outcome(trial=trial, settings=settings, status="failed", seconds=seconds() - began, error=failed)
    return Outcome(
        trial=trial,
        settings=settings,
        status="done",
        score=verdict.score,
        metrics=verdict.metrics,
        seconds=seconds() - began,
    )
