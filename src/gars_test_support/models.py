"""The double of another model, as ``gars serve --engine-factory gars_test_support.models:make_second`` opens it."""

from __future__ import annotations

from gars.testing.anime import sample_catalogue
from gars.testing.engine import FakeEngine

_LEFT_OUT = 1535


def make_second() -> FakeEngine:
    """Return a model without a title of most lists; rows after it are other anime than in the first model."""
    return FakeEngine([one for one in sample_catalogue() if one.anime_id != _LEFT_OUT], version="fake-2")
