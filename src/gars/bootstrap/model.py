"""Loads the promoted model, and the data it was trained on."""

from __future__ import annotations

import logging
from pathlib import Path

import msgspec

from gars.application.catalogue.about import About, Coverage
from gars.application.recommend.engine import Engine
from gars.config import Settings
from gars.datasets import snapshots
from gars.datasets.dataset import Dataset, catalogue_anime
from gars.domain.anime import Anime
from gars.domain.errors import ArtefactError, GarsError
from gars.domain.experiment import Experiment
from gars.library import artefact
from gars.library.artefact import Manifest
from gars.library.cold_start import version_with, with_cold_start
from gars.library.recommender import Recommender
from gars.library.registry import Registry
from gars.library.serialisation import CATALOGUE, read_catalogue

logger = logging.getLogger(__name__)


def load_engine(models: Path) -> tuple[Engine, About]:
    """Load and verify the promoted model of a folder of models. → engine, facts of its manifest

    Anime added to the catalogue of the accepted snapshot since the training can be recommended at once.

    Raises:
        ArtefactError: there is no model, it is half-trained or damaged; the hint has the command to run.
    """
    return _load(_promoted(models), models.parent)


def load_version(models: Path, version: str) -> Engine:
    """Load a model by its version, promoted or not, with the anime that are new in the accepted snapshot.

    Raises:
        ArtefactError: there is no such model, or it is damaged.
    """
    engine, _ = _load(models / Registry(models).find(version), models.parent)
    return engine


def load_others(models: Path, experiment: Experiment | None) -> dict[str, Engine]:
    """Load the models named by an experiment's variants. → engines by name of the variant

    Raises:
        ArtefactError: there is no such model, or it is damaged.
    """
    named = [] if experiment is None else [variant for variant in experiment.variants if variant.model]
    registry = Registry(models)
    loaded = {version: load_version(models, version) for version in {registry.find(one.model) for one in named}}
    return {variant.name: loaded[registry.find(variant.model)] for variant in named}


def _load(current: Path, home: Path) -> tuple[Engine, About]:
    try:
        loaded = Recommender.load(current)
    except GarsError:
        raise
    except Exception as error:  # a damaged file makes numpy or msgspec raise many kinds of error
        raise _unreadable(current, error) from error
    manifest = loaded.manifest
    if manifest is None:  # never for a loaded one
        raise ArtefactError(f"the model in {current} has no manifest", hint="train it again with: gars train")
    about = _about(manifest)
    return with_cold_start(loaded.engine, _accepted_since(home, about), cold=loaded.cold_anime), about


def load_catalogue(models: Path) -> tuple[list[Anime], About]:
    """Read the anime of the promoted model and those added since, without loading the model. → anime by id, facts

    Raises:
        ArtefactError: as ``load_engine``.
    """
    anime, added, about = _catalogue_and_newcomers(models)
    return sorted([*anime, *added], key=lambda one: one.anime_id), about


def engine_version(models: Path) -> str:
    """Return the version that the engine of ``load_engine`` has, without loading it.

    Raises:
        ArtefactError: as ``load_engine``.
    """
    _, added, about = _catalogue_and_newcomers(models)
    return version_with(about.model_version, added)


def _catalogue_and_newcomers(models: Path) -> tuple[list[Anime], list[Anime], About]:
    current = _promoted(models).resolve()
    manifest = artefact.read_manifest(current)
    file = artefact.verified(current, manifest, CATALOGUE)
    try:
        anime, about = read_catalogue(file), _about(manifest)
    except msgspec.DecodeError as error:
        raise _unreadable(current, error) from error
    known = {one.anime_id for one in anime}
    added = [one for one in _accepted_since(models.parent, about) if one.anime_id not in known]
    return anime, sorted(added, key=lambda one: one.anime_id), about


def _promoted(models: Path) -> Path:
    current = models / "current"
    if not current.exists():
        if current.is_symlink():
            raise ArtefactError(
                f"{current} points to {current.readlink()}, which is gone",
                hint="see what there is with: gars model list, then: gars model promote VERSION",
            )
        raise ArtefactError(f"there is no trained model in {models}", hint="train one with: gars train")
    return current


def _unreadable(current: Path, error: Exception) -> ArtefactError:
    return ArtefactError(
        f"the model in {current.resolve()} cannot be read: {type(error).__name__}: {error}",
        hint="train it again with: gars train, or go back with: gars model rollback",
    )


def _about(manifest: Manifest) -> About:
    facts = manifest.data
    return About(
        model_version=manifest.version,
        trained=manifest.created,
        metrics=manifest.metrics or None,
        data_name=str(facts.get("name", "unknown")),
        data_hash=facts.get("content_hash"),
        simulated=bool(facts.get("simulated", False)),
        anime=int(facts.get("items", 0)),
        users=int(facts.get("users", 0)),
        interactions=int(facts.get("rows", 0)),
        coverage=_coverage(facts.get("coverage")),
    )


def _coverage(value: object) -> Coverage | None:
    """Read the years that the data cover from a manifest; ``None`` if another version of GARS did not store them."""
    try:
        return msgspec.convert(value, Coverage)
    except msgspec.ValidationError:
        return None


def served_version(models: Path) -> str | None:
    """Return the name of the model to serve, promoted version and accepted snapshot; ``None`` without a model."""
    version = Registry(models).current()
    return None if version is None else name_of(version, snapshots.accepted(models.parent))


def name_of(version: str, snapshot: str | None) -> str:
    """Return the name of a served model: its version, and the accepted snapshot if there is one."""
    return version if snapshot is None else f"{version} with snapshot {snapshot[:12]}"


def _accepted_since(home: Path, about: About) -> list[Anime]:
    """Return the catalogue of the accepted snapshot; empty if the model was trained on it or it cannot be read."""
    accepted = snapshots.accepted(home)
    if accepted is None or accepted == about.data_hash:
        return []
    try:
        return catalogue_anime(snapshots.open_snapshot(home, accepted).catalogue())
    except GarsError as error:  # the model serves without it
        logger.warning("the accepted snapshot cannot be read, so anime that are new in it are missing: %s", error)
        return []


def training_data(settings: Settings, about: About) -> Dataset | None:
    """Open the data set or snapshot a model was trained on, for its users' histories; ``None`` if neither is there."""
    named = settings.datasets / about.data_name
    dataset = Dataset.open(named) if named.is_dir() else None
    if dataset is not None and about.data_hash in (None, dataset.content_hash):
        return dataset
    snapshot = settings.home / snapshots.FOLDER / (about.data_hash or "")
    if about.data_hash is not None and snapshot.is_dir():
        return Dataset.open(snapshot)
    if dataset is None:
        logger.warning("the data set %s is not in %s: its users start without history", about.data_name, named.parent)
    else:
        logger.warning("the data set in %s is not the one the model was trained on", named)
    return dataset
