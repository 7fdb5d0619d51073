"""The type of a table of broken adapters."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

Broken = Mapping[str, Callable[..., Any]]
"""Name of a check → constructor of the adapter it must reject."""
