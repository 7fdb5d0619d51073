"""What a table of broken doubles is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

Broken = Mapping[str, Callable[..., Any]]
"""Name of a check → what makes the adapter that it must reject."""
