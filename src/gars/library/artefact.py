"""A model on disk: arrays, catalogue, users and a manifest; written whole or not at all."""

from __future__ import annotations

import hashlib
import importlib.metadata
import os
import platform
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from gars.domain.errors import ArtefactError, StorageError

FORMAT = 1
MANIFEST = "manifest.json"


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What a model is, was made from, and measured."""

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


def write(path: Path, files: Mapping[str, bytes | Mapping[str, NDArray[Any]]], **about: Any) -> Manifest:
    """Write files (bytes, or named arrays as .npz) and the manifest into ``path``; replaces it as the last step.

    Raises:
        StorageError: the disk is full or not writable; nothing of ``path`` has changed.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = Path(tempfile.mkdtemp(prefix=f".{path.name}.", dir=path.parent))
    try:
        for name, content in files.items():
            with (unfinished / name).open("wb") as file:
                if isinstance(content, bytes):
                    file.write(content)
                else:
                    np.savez(file, allow_pickle=False, **{key: np.asarray(array) for key, array in content.items()})
                file.flush()
                os.fsync(file.fileno())
        hashes = {name: _sha256(unfinished / name) for name in sorted(files)}
        manifest = Manifest(
            format=FORMAT, version=_version(hashes), files=hashes, libraries=_libraries(), **about
        )  # fmt: skip
        with (unfinished / MANIFEST).open("wb") as file:
            file.write(msgspec.json.format(msgspec.json.encode(manifest), indent=2))
            file.flush()
            os.fsync(file.fileno())
        unfinished.chmod(0o755)
        _replace(unfinished, path)
    except OSError as error:
        raise StorageError(
            f"the model could not be written to {path}: {error}", hint="free some space or choose another folder"
        ) from error
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    return manifest


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
    if manifest.format != FORMAT:
        raise ArtefactError(
            f"the model in {path} has format {manifest.format}, this GARS reads {FORMAT}",
            hint="train it again with: gars train",
        )
    return manifest


def read(path: Path) -> tuple[Manifest, dict[str, Path]]:
    """The manifest and its files, each verified.

    Raises:
        ArtefactError: a file is missing or its content is not what the manifest says.
    """
    manifest = read_manifest(path)
    for name, expected in manifest.files.items():
        file = path / name
        if not file.is_file():
            raise ArtefactError(f"the model in {path} is incomplete: no {name}", hint="train it again with: gars train")
        if _sha256(file) != expected:
            raise ArtefactError(
                f"{file} is damaged: its hash is not the manifest's", hint="train it again with: gars train"
            )
    return manifest, {name: path / name for name in manifest.files}


def load_arrays(path: Path) -> dict[str, NDArray[Any]]:
    """The arrays of one .npz file."""
    with np.load(path, allow_pickle=False) as archive:
        return dict(archive)


def _version(hashes: Mapping[str, str]) -> str:
    content = "\n".join(f"{name} {digest}" for name, digest in sorted(hashes.items()))
    return hashlib.sha256(content.encode()).hexdigest()[:12]


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _libraries() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for name in ("gars", "numpy", "scipy", "gensim", "keras", "jax"):
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def _replace(finished: Path, target: Path) -> None:
    """Put the finished folder in the target's place; an old one steps aside: a folder cannot replace a full one."""
    aside = finished.with_name(finished.name + ".old")
    if target.exists():
        target.rename(aside)
    finished.rename(target)
    folder = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
    shutil.rmtree(aside, ignore_errors=True)
