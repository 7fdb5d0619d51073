"""Locate the configuration of the engines: ``deploy/`` of the checkout, or its copy in the installed package."""

from __future__ import annotations

from pathlib import Path

_PACKAGED = Path(__file__).parents[1] / "deploy"
_CHECKOUT = Path(__file__).parents[3] / "deploy"


def deploy_folder(name: str) -> Path:
    """The folder of an engine's configuration."""
    return (_PACKAGED if _PACKAGED.is_dir() else _CHECKOUT) / name
