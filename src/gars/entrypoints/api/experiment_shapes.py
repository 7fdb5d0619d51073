"""JSON types of an A/B test."""

from __future__ import annotations

import msgspec


class RateBody(msgspec.Struct, frozen=True):
    """A share of lists with its 95 % interval."""

    rate: float
    low: float
    high: float


class VariantBody(msgspec.Struct, frozen=True, kw_only=True):
    """One arm of an experiment: lists shown, and those with a click or a dismissal."""

    name: str
    share: float
    users: int
    impressions: int
    clicks: int
    dismissals: int
    click_through: RateBody
    dismiss_rate: RateBody


class ExperimentBody(msgspec.Struct, frozen=True, kw_only=True):
    """All variants. If ``sample_ratio_ok`` is false, users were not assigned as configured: results are not valid."""

    name: str
    variants: list[VariantBody]
    sample_ratio_p: float
    sample_ratio_ok: bool
