"""Search for better settings: random draws, and successive halving over the share of users they are tried on.

Every draw is first tried on a share of the users, and only the best go on to more of them. Which trial is next is a
pure function of what has come out so far (Li et al., "A System for Massively Parallel Hyperparameter Tuning", MLSys
2020, with one worker), so a search that was stopped goes on where it was. Trial 0 changes nothing and goes all the way.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, Protocol

import msgspec
import numpy as np

from gars.application.progress import Progress
from gars.application.training_log import TrainingLog
from gars.domain.metrics import Interval

Setting = Any
"""A value as it may stand in a configuration file."""
Status = Literal["done", "failed"]
SHARES = (1 / 3, 1.0)
"""Share of the users at each rung."""
KEPT = 3
"""One in this many goes on to the next rung."""
DRAWS_PER_STAGE_ONE = 8
"""So many draws in a row share what is slow to change."""


class Choice(msgspec.Struct, frozen=True, tag="choice"):
    """One of some values, each as likely."""

    values: tuple[Setting, ...]

    def draw(self, rng: np.random.Generator) -> Setting:
        """One value."""
        return self.values[int(rng.integers(len(self.values)))]


class Range(msgspec.Struct, frozen=True, tag="range"):
    """A number between two bounds, both included; ``log``: each order of magnitude as likely."""

    low: float
    high: float
    log: bool = False
    whole: bool = False

    def draw(self, rng: np.random.Generator) -> Setting:
        """One number; of three significant digits, for nobody needs more."""
        low, high = (self.low - 0.5, self.high + 0.5) if self.whole and not self.log else (self.low, self.high)
        value = math.exp(rng.uniform(math.log(low), math.log(high))) if self.log else rng.uniform(low, high)
        if self.whole:
            return int(np.clip(round(value), self.low, self.high))
        return float(np.clip(float(f"{value:.3g}"), self.low, self.high))


Space = Mapping[str, Choice | Range]
"""What may be drawn, by the dotted name of the setting."""


def draw(space: Space, *, seed: int, number: int, slow: Callable[[str], bool]) -> dict[str, Setting]:
    """The settings of a trial; draws in a row share the ``slow`` ones where there are others to vary."""
    if number == 0:
        return {}
    apart = DRAWS_PER_STAGE_ONE if any(not slow(name) for name in space) else 1
    streams = {
        True: np.random.default_rng([seed, 1, (number - 1) // apart]),
        False: np.random.default_rng([seed, 2, number]),
    }
    return {name: space[name].draw(streams[slow(name)]) for name in sorted(space)}


class Trial(msgspec.Struct, frozen=True):
    """Settings at a rung."""

    number: int
    rung: int

    @property
    def share(self) -> float:
        """Of the users."""
        return SHARES[self.rung]

    @property
    def name(self) -> str:
        """Names its files."""
        return f"trial-{self.number:03}-rung-{self.rung}"


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a trial."""

    trial: Trial
    settings: dict[str, Setting]
    status: Status
    score: float | None = None
    metrics: dict[str, Interval] = {}
    seconds: float
    error: str = ""


class Verdict(msgspec.Struct, frozen=True):
    """What a set of settings is worth."""

    score: float
    metrics: dict[str, Interval]


class Objective(Protocol):
    """Fits with some settings and judges on validation rows."""

    def __call__(
        self, settings: Mapping[str, Setting], share: float, curves: Callable[[str], TrainingLog | None]
    ) -> Verdict:
        """Judge ``settings`` on a share of the users; ``curves`` gives the log of each fit by name."""
        ...


class Journal(Protocol):
    """The durable record of a search."""

    def outcomes(self) -> list[Outcome]:
        """What has come out so far, oldest first."""
        ...

    def append(self, outcome: Outcome) -> None:
        """Record one more; it is durable when this returns."""
        ...


class Session(Protocol):
    """One trial being watched."""

    def curves(self, fit: str) -> TrainingLog | None:
        """The log of one fit."""
        ...

    def end(self, outcome: Outcome) -> None:
        """The trial is over."""
        ...

    def stop(self) -> None:
        """The trial was broken off, and will be run again."""
        ...


class Watcher(Protocol):
    """Shows trials to somebody."""

    def start(self, trial: Trial, settings: Mapping[str, Setting]) -> Session:
        """A trial begins."""
        ...


class Unwatched:
    """A ``Watcher`` and ``Session`` that shows nothing."""

    def start(self, _trial: Trial, _settings: Mapping[str, Setting]) -> Unwatched:
        """Nobody looks."""
        return self

    def curves(self, _fit: str) -> TrainingLog | None:
        """No log."""
        return None

    def end(self, _outcome: Outcome) -> None:
        """Nobody looks."""

    def stop(self) -> None:
        """Nobody looks."""


def next_trial(outcomes: Sequence[Outcome], n_trials: int) -> Trial | None:
    """What to try next: the highest rung somebody has earned, else the next draw, else ``None``."""
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
    """Those that have a score, the best first; of equals the earlier."""
    done = [outcome for outcome in outcomes if outcome.score is not None]
    return sorted(done, key=lambda outcome: (-(outcome.score or 0.0), outcome.trial.number))


def finalists(outcomes: Sequence[Outcome]) -> list[Outcome]:
    """Those tried on all users, the best first."""
    return ranked([outcome for outcome in outcomes if outcome.trial.rung == len(SHARES) - 1])


def search(
    space: Space,
    objective: Objective,
    journal: Journal,
    *,
    slow: Callable[[str], bool],
    n_trials: int,
    seed: int,
    seconds: Callable[[], float],
    deadline: float = math.inf,
    watcher: Watcher | None = None,
    progress: Progress,
    tell: Callable[[Outcome], None] = lambda _outcome: None,
) -> list[Outcome]:
    """Try until every draw has had its chance or the deadline has passed; returns all outcomes of the journal.

    Args:
        space: what may be drawn.
        objective: judges settings.
        journal: what it holds is not tried again.
        slow: whether a setting is slow to change.
        n_trials: how many sets of settings, the unchanged ones counted.
        seed: of the draws.
        seconds: a clock that only goes forward.
        deadline: by that clock; no trial starts after it but the first on all users.
        watcher: told of every trial.
        progress: shows the trial that runs.
        tell: told of every outcome.

    Raises:
        Exception: what trial 0 failed with; when another one fails, that is its outcome.
    """
    watcher = watcher or Unwatched()
    outcomes = journal.outcomes()
    while (trial := next_trial(outcomes, n_trials)) is not None:
        if seconds() >= deadline and finalists(outcomes):
            break
        settings = draw(space, seed=seed, number=trial.number, slow=slow)
        session = watcher.start(trial, settings)
        try:
            with progress.task(f"trial {trial.number} on {trial.share:.0%} of the users"):
                outcome = _tried(trial, settings, objective, session, seconds)
        except BaseException:
            session.stop()
            raise
        journal.append(outcome)
        session.end(outcome)
        outcomes.append(outcome)
        tell(outcome)
    return outcomes


def _tried(
    trial: Trial, settings: dict[str, Setting], objective: Objective, session: Session, seconds: Callable[[], float]
) -> Outcome:
    """What comes of a trial; failing is an outcome too, but not of the unchanged settings."""
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
