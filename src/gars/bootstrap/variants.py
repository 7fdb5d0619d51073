"""Opens the models of an A/B test's variants, in addition to the promoted one."""

from __future__ import annotations

from collections.abc import Mapping

from gars.application.recommend.engine import Engine
from gars.bootstrap.model import load_others
from gars.config import Settings
from gars.domain.errors import ArtefactError, InvalidInputError
from gars.domain.experiment import Experiment


def open_others(settings: Settings, experiment: Experiment | None) -> dict[str, Engine]:
    """Load the models named by variants. → engines by name of the variant

    Raises:
        ArtefactError: there is no such model, or it is damaged.
        InvalidInputError: the stages run in other processes, which load the promoted model only.
    """
    if experiment is not None and (settings.recall or settings.rank) and any(one.model for one in experiment.variants):
        raise InvalidInputError(
            "GARS_EXPERIMENT names models for variants, but the stages run elsewhere and know the promoted one only",
            hint="leave GARS_RECALL and GARS_RANK empty, or test rules instead of models",
        )
    return load_others(settings.models, experiment)


def refuse_unknown_titles(engine: Engine, others: Mapping[str, Engine]) -> None:
    """Check that the service can show every title of the variants' models.

    Raises:
        ArtefactError: a model has a title that the promoted one has not.
    """
    known = {anime.anime_id for anime in engine.anime} if others else set()
    for name, other in others.items():
        unknown = sum(anime.anime_id not in known for anime in other.anime)
        if unknown:
            raise ArtefactError(
                f"the model {other.version} of the variant {name} has {unknown} anime that {engine.version} has not",
                hint="train both on the same catalogue, or take the variant out of GARS_EXPERIMENT",
            )
