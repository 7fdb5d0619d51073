"""``gars serve`` whose models are doubles named by the promoted version.

A version that starts with ``bad`` is damaged. While the file ``HOLD`` is there lists wait; ``HOLD.waiting`` says that
one does.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import typer

from gars.application.catalogue.about import About
from gars.application.recommend.engine import Recommendation
from gars.bootstrap import running
from gars.domain.errors import ArtefactError
from gars.entrypoints.cli import serve as command
from gars.testing.engine import FakeEngine
from gars_test_support.patience import until


class HeldEngine(FakeEngine):
    """Its lists wait as long as a file is there."""

    def recommend_history(self, *args: Any, **kwargs: Any) -> list[Recommendation]:
        hold = Path(os.environ.get("HOLD", "none"))
        if hold.exists():
            hold.with_suffix(".waiting").touch()
            until(lambda: not hold.exists())
        return super().recommend_history(*args, **kwargs)


def promoted(models: Path) -> tuple[FakeEngine, About]:
    version = (models / "current").readlink().name
    if version.startswith("bad"):
        raise ArtefactError(f"{version} is damaged")
    return HeldEngine(version=version), About(model_version=version)


def main(home: Path = typer.Option(), port: int = typer.Option()) -> None:  # noqa: B008
    vars(command)["load_engine"] = vars(running)["load_engine"] = promoted
    command.serve(host="127.0.0.1", port=port, home=home)


if __name__ == "__main__":
    typer.run(main)
