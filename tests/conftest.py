"""Shared by all tests: a small world with known tastes, and the real data where they are at hand."""

from __future__ import annotations

import os
from pathlib import Path

import hypothesis
import pytest

from gars import Recommender
from gars_test_support.world import SMALL, small_world

# Compiling the ranking model takes ten times as long as training it on the small world: keep what was compiled.
os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", str(Path(__file__).parents[1] / ".pytest_cache" / "jax"))
os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0")
os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES", "-1")

hypothesis.settings.register_profile("gars", deadline=None, derandomize=True)
hypothesis.settings.load_profile("gars")


@pytest.fixture(scope="session")
def small() -> Recommender:
    """A recommender fitted on ``small_world``."""
    interactions, catalogue = small_world()
    return Recommender.fit(interactions, catalogue, config=SMALL, progress=False)


@pytest.fixture(scope="session")
def mirror() -> Path:
    """The folder with the real data; the test is skipped where it is not at hand."""
    folder = Path(os.environ.get("GARS_MIRROR") or Path(__file__).parents[2] / "shared" / "datasets")
    if not (folder / "mal-2016-sample.zip").is_file():
        pytest.skip("the real data are not here: set GARS_MIRROR to a folder that holds them")
    return folder
