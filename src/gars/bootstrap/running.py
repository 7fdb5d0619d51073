"""Warms a service, and lets it follow the promoted model of its folder."""

from __future__ import annotations

import logging
from contextlib import suppress

from gars.application.recommend.list_request import ListRequest
from gars.bootstrap.model import load_engine, name_of, served_version
from gars.bootstrap.service import UNKNOWN_USER, Service, with_model
from gars.bootstrap.warming import warm_engine
from gars.datasets import snapshots
from gars.domain.errors import ArtefactError
from gars.runtime.live_service import LiveService
from gars.runtime.swap import Swap

logger = logging.getLogger(__name__)

Live = LiveService[Service]


def warm(service: Service) -> None:
    """Make one answer of each kind, so that no request waits for what is loaded or compiled on first use.

    Raises:
        ArtefactError: the model cannot make a list.
    """
    # the first start after an installation compiles for seconds, more than any budget; a fault is reported below
    with suppress(Exception):
        warm_engine(service.engine)
    some = service.states.user_ids(limit=1)
    # a stage in another process that is away, or has not loaded this model yet, is no fault of the model
    is_whole = service.recall is None and service.rank is None
    for user_id in [*some, UNKNOWN_USER] if is_whole else []:
        made = service.recommend(ListRequest(user_id=user_id))
        if made.fallback is not None:
            raise ArtefactError(
                f"the model {made.model_version} cannot make a list: the first one was {made.fallback}",
                hint="the service's log says why; go back with: gars model rollback",
            )
    warm_engine(service.engine)  # with reasons, which the list of an unknown user has not
    for user_id in some:
        service.similar_users(user_id)
    for anime in service.catalogue.anime[:1]:
        service.similar_anime(anime.anime_id)
        service.search(anime.title)


def live(service: Service) -> Live:
    """Wrap the service so that it follows the promoted model of its folder."""
    models = service.settings.models

    def load(current: Service) -> tuple[Service, str]:
        # read before the model: a snapshot accepted in between has another name and is loaded by the next refresh
        accepted = snapshots.accepted(models.parent)
        engine, about = load_engine(models)
        made = with_model(current, engine, about)
        try:
            warm(made)
        except BaseException:
            made.close_worker_pool()
            raise
        current.close_worker_pool()  # requests that have not used one yet make their lists in this process
        made.stores.takes.known_anime = made.catalogue
        if about.data_hash != current.about.data_hash:
            logger.warning("users of the data set %s start with their history after a restart", about.data_name)
        return made, name_of(about.model_version, accepted)

    # what serves is the promoted model with the newcomers of the accepted snapshot: either may change
    serving = name_of(service.about.model_version, snapshots.accepted(models.parent))
    return Live(Swap(service, serving, promoted=lambda: served_version(models), load=load))
