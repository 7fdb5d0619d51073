"""Route of the running A/B test: results per variant."""

from __future__ import annotations

import asyncio

import msgspec
from litestar import get
from litestar.exceptions import NotFoundException

from gars.application.impressions.experiments import report
from gars.entrypoints.api.errors import errors
from gars.entrypoints.api.experiment_shapes import ExperimentBody
from gars.entrypoints.api.params import ServiceDep


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
