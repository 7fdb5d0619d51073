"""The A/B test that runs: what came of each variant so far."""

from __future__ import annotations

import asyncio

import msgspec
from litestar import get
from litestar.exceptions import NotFoundException

from gars.application.experiments import report
from gars.entrypoints.api.errors import errors
from gars.entrypoints.api.experiment_shapes import ExperimentBody
from gars.entrypoints.api.params import ServiceDep


@get("/experiment", summary="What came of the A/B test", responses=errors(400, 404, 503), tags=["service"])
async def get_experiment(service: ServiceDep) -> ExperimentBody:
    """Per variant the lists shown, click-through and dismissals with 95 % intervals over users, and whether the users
    spread as they should."""
    if service.experiment is None:
        raise NotFoundException("no experiment runs: GARS_EXPERIMENT names none")
    # not on the service's own threads: it reads every impression, and lists are made there
    found = await asyncio.to_thread(report, service.experiment, service.impressions, service.log)
    return msgspec.convert(found, ExperimentBody, from_attributes=True)
