"""A model on disk: arrays, catalogue, users and a manifest; written whole or not at all."""

from __future__ import annotations

import hashlib
import importlib.metadata
import platform
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
from numpy.typing import NDArray

from gars.datasets.durable import sha256_of, whole_folder
from gars.domain.errors import ArtefactError, StorageError
from gars.library.mapped_arrays import write_arrays

FORMAT = 2
"""Version of the layout that is written: in 1 the Gaussian process was in ``kriging.npz``."""
READABLE = (1, FORMAT)
MANIFEST = "manifest.json"


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """Identity of a model: version, data, settings, metrics."""

    format: int
    version: str
    """Hash of the content of all files: the same data, seed and libraries give the same version."""
    created: str
    """UTC, ISO 8601."""
    seed: int
    data: dict[str, Any]
    """Name, content hash and counts of the data it was fitted on."""
    config: dict[str, Any]
    features: list[str]
    metrics: dict[str, Any]
    libraries: dict[str, str]
    files: dict[str, str]
    """SHA-256 of each file."""
    curves: dict[str, list[float]] = {}
    """Loss of the ranking model → its value after each epoch; none in models of before they were kept."""


def write(path: Path, files: Mapping[str, bytes | Mapping[str, NDArray[Any]]], **about: Any) -> Manifest:
    """Write files (bytes, or named arrays as .npz) and the manifest into ``path``; replaces a model as the last step.

    Raises:
        InvalidInputError: ``path`` exists and is something else than a model; nothing of it has changed.
        StorageError: the disk is full or not writable; nothing of ``path`` has changed.
    """
    try:
        with whole_folder(path, written_names=written_names) as folder:
            for name, content in files.items():
                with (folder / name).open("wb") as file:
                    if isinstance(content, bytes):
                        file.write(content)
                    else:
                        write_arrays(file, content)
            hashes = {name: sha256_of(folder / name) for name in sorted(files)}
            manifest = Manifest(format=FORMAT, version=_version(hashes), files=hashes, libraries=_libraries(), **about)
            (folder / MANIFEST).write_bytes(msgspec.json.format(msgspec.json.encode(manifest), indent=2))
    except OSError as error:
        raise StorageError(
            f"the model could not be written to {path}: {error}", hint="free some space or choose another folder"
        ) from error
    return manifest


def written_names(path: Path) -> set[str]:
    """Names of the files of the model in ``path``; empty if it is not a model."""
    try:
        return {MANIFEST, *read_manifest(path).files}
    except (ArtefactError, OSError):
        return set()


def read_manifest(path: Path) -> Manifest:
    """The manifest of a model folder.

    Raises:
        ArtefactError: there is none, it is half-written, damaged, or of another format.
    """
    if not path.is_dir():
        raise ArtefactError(f"there is no model in {path}", hint="train one with: gars train")
    if not (path / MANIFEST).is_file():
        raise ArtefactError(
            f"the model in {path} is half-written: no {MANIFEST}", hint="train it again with: gars train"
        )
    try:
        manifest = msgspec.json.decode((path / MANIFEST).read_bytes(), type=Manifest)
    except msgspec.DecodeError as error:
        raise ArtefactError(f"{path / MANIFEST} is damaged: {error}", hint="train it again with: gars train") from error
    if manifest.format not in READABLE:
        raise ArtefactError(
            f"the model in {path} has format {manifest.format}, this GARS reads {FORMAT}",
            hint="train it again with: gars train",
        )
    return manifest


def read(path: Path) -> tuple[Manifest, dict[str, Path]]:
    """The manifest and its files, each verified.

    Raises:
        ArtefactError: a file is missing or its content differs from the manifest.
    """
    manifest = read_manifest(path)
    return manifest, {name: verified(path, manifest, name) for name in manifest.files}


def verified(path: Path, manifest: Manifest, name: str) -> Path:
    """One file of a model.

    Raises:
        ArtefactError: it is missing or its content differs from the manifest.
    """
    file = path / name
    if name not in manifest.files or not file.is_file():
        raise ArtefactError(f"the model in {path} is incomplete: no {name}", hint="train it again with: gars train")
    if sha256_of(file) != manifest.files[name]:
        raise ArtefactError(
            f"{file} is damaged: its hash is not the manifest's", hint="train it again with: gars train"
        )
    return file


def _version(hashes: Mapping[str, str]) -> str:
    content = "\n".join(f"{name} {digest}" for name, digest in sorted(hashes.items()))
    return hashlib.sha256(content.encode()).hexdigest()[:12]


def _libraries() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for name in ("gars", "numpy", "scipy", "gensim", "keras", "jax"):
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found
