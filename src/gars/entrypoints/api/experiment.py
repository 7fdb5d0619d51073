"""Route of the running A/B test: results per variant."""

from __future__ import annotations

import asyncio

import msgspec
from litestar import get
from litestar.exceptions import NotFoundException

from gars.application.impressions.experiments import report
from gars.entrypoints.api.errors import errors
from gars.entrypoints.api.params import ServiceDep


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


@get("/experiment", summary="What came of the A/B test", responses=errors(400, 404, 503), tags=["service"])
async def get_experiment(service: ServiceDep) -> ExperimentBody:
    """Lists shown, click-through and dismissal rates per variant, with 95 % intervals over users, and a test of
    the sample ratio.
    """
    if service.experiment is None:
        raise NotFoundException("no experiment runs: GARS_EXPERIMENT names none")
    # not on the service's worker threads, which make lists: it reads every impression
    found = await asyncio.to_thread(report, service.experiment, service.impressions, service.log)
    return msgspec.convert(found, ExperimentBody, from_attributes=True)
