"""Check data against the thresholds for training: each check with value, limit and meaning."""

from __future__ import annotations

import msgspec

from gars.datasets.dataset import Dataset
from gars.datasets.drift import Drift
from gars.datasets.thresholds import Thresholds
from gars.datasets.validate import Report
from gars.domain.errors import DataError


class NotAcceptedError(DataError):
    """Data that break the normal form or a threshold."""

    code = "data_not_accepted"


class Check(msgspec.Struct, frozen=True):
    """One number against its threshold."""

    name: str
    value: float
    limit: float
    says: str

    @property
    def passed(self) -> bool:
        """Return true if the value is within the limit."""
        return self.value <= self.limit


class Validation(msgspec.Struct, frozen=True, kw_only=True):
    """Results of validating a data set; ``--json`` writes them."""

    name: str
    content_hash: str
    report: Report
    drift: Drift | None
    """``None`` without an earlier data set to compare with."""
    checks: list[Check]

    @property
    def failed(self) -> list[Check]:
        """Return the checks that failed."""
        return [check for check in self.checks if not check.passed]

    @property
    def accepted(self) -> bool:
        """Return true if the data may be used for training: no faults, no failed checks."""
        return not self.failed and not self.report.faults


def check_thresholds(dataset: Dataset, report: Report, drift: Drift | None, thresholds: Thresholds) -> Validation:
    """Compare a report, and the drift if given, with the thresholds."""
    checks = _state(report, thresholds) + (_movement(drift, thresholds) if drift else [])
    return Validation(name=dataset.name, content_hash=dataset.content_hash, report=report, drift=drift, checks=checks)


def require_accepted(validation: Validation) -> None:
    """Raise ``NotAcceptedError`` with every fault and every check that failed."""
    if validation.accepted:
        return
    faults = [f"  {fault}" for fault in validation.report.faults]
    checks = [
        f"  {check.name}: {check.value:.3g} is above {check.limit:.3g} ({check.says})" for check in validation.failed
    ]
    counts = [
        f"{len(faults)} fault(s)" if faults else "",
        f"{len(checks)} check(s) failed" if checks else "",
    ]
    hint = (
        "remove that data set and build or import it again"
        if faults
        else "look at the report (--html FILE); if the data are right, raise that threshold in validation.toml"
    )
    shown = "\n".join([*faults, *checks])
    raise NotAcceptedError(f"{validation.name}: {', '.join(filter(None, counts))}\n{shown}", hint=hint)


def _state(report: Report, limits: Thresholds) -> list[Check]:
    return [
        Check(
            "orphan_share",
            _share(report.orphans, report.anime),
            limits.orphan_share,
            f"{report.orphans:,} of {report.anime:,} anime seen are not in the catalogue",
        ),
        Check(
            "dropped_share",
            _share(report.duplicates_dropped, report.rows),
            limits.dropped_share,
            f"{report.duplicates_dropped:,} repeated rows were dropped",
        ),
        Check(
            "suspicious_user_share",
            _share(report.suspicious_users, report.users),
            limits.suspicious_user_share,
            f"{report.suspicious_users:,} of {report.users:,} users do not look like people",
        ),
        Check(
            "suspicious_row_share",
            _share(report.suspicious_rows, report.rows),
            limits.suspicious_row_share,
            f"{report.suspicious_rows:,} of {report.rows:,} rows are theirs",
        ),
    ]


def _movement(drift: Drift, limits: Thresholds) -> list[Check]:
    worst = max(drift.unknown_rise.items(), key=lambda rise: rise[1], default=("no field", 0.0))
    means = drift.mean_rating
    moved = abs(means[1] - means[0]) if means[0] is not None and means[1] is not None else 0.0
    before = max(drift.catalogue[0], 1)
    return [
        Check("rating_shift", drift.rating_shift, limits.rating_shift, "distance of the histograms of ratings"),
        Check("mean_rating_change", moved, limits.mean_rating_change, _moved(*means)),
        Check(
            "unrated_change",
            abs(drift.unrated_share[1] - drift.unrated_share[0]),
            limits.unrated_change,
            "rows without a rating: {:.1%} before, {:.1%} now".format(*drift.unrated_share),
        ),
        Check("unknown_rise", worst[1], limits.unknown_rise, f"more anime do not know {worst[0]}"),
        Check(
            "anime_vanished",
            drift.anime_vanished / before,
            limits.anime_vanished,
            f"{drift.anime_vanished:,} of {drift.catalogue[0]:,} anime are gone{_such_as(drift.vanished_examples)}",
        ),
        Check(
            "anime_new",
            drift.anime_new / before,
            limits.anime_new,
            f"{drift.anime_new:,} anime are new{_such_as(drift.new_examples)}",
        ),
        Check("rows_lost", _lost(drift.rows), limits.rows_lost, "{:,} rows before, {:,} now".format(*drift.rows)),
        Check("users_lost", _lost(drift.users), limits.users_lost, "{:,} users before, {:,} now".format(*drift.users)),
    ]


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0


def _lost(counts: tuple[int, int]) -> float:
    return max(0.0, 1 - counts[1] / counts[0]) if counts[0] else 0.0


def _moved(before: float | None, now: float | None) -> str:
    mean_texts = ["none" if mean is None else f"{mean:.2f}" for mean in (before, now)]
    return f"mean rating {mean_texts[0]} before, {mean_texts[1]} now"


def _such_as(titles: list[str]) -> str:
    return f", such as {', '.join(titles[:3])}" if titles else ""
