"""Puts the service together: the only place that picks adapters, by the scheme of an address."""

from __future__ import annotations

import importlib.metadata

from gars.bootstrap.model import load_engine, training_data
from gars.bootstrap.running import Live, live, warm
from gars.bootstrap.service import Service, open_service, with_model
from gars.bootstrap.stores import (
    api_origins,
    image_origins,
    lock_home,
    open_event_log,
    open_experiment,
    open_impression_log,
    open_sites,
    open_state_store,
    open_tombstones,
)

VERSION = importlib.metadata.version("gars")

__all__ = [
    "VERSION",
    "Live",
    "Service",
    "api_origins",
    "image_origins",
    "live",
    "load_engine",
    "lock_home",
    "open_event_log",
    "open_experiment",
    "open_impression_log",
    "open_service",
    "open_sites",
    "open_state_store",
    "open_tombstones",
    "training_data",
    "warm",
    "with_model",
]
