"""Pack the code of the Flink job into one file that is sent with the job: the cluster needs no GARS installation."""

from __future__ import annotations

import zipfile
from pathlib import Path

import gars
from gars.datasets.durable import whole_file

PARTS = (
    "__init__.py",
    "domain",
    "kernels",
    "application/__init__.py",
    "runtime/__init__.py",
    "runtime/key_file.py",
    "runtime/tracing.py",
    "application/ports.py",
    "adapters/__init__.py",
    "adapters/flink",
    "adapters/opentelemetry",
    "adapters/redis",
    "entrypoints/__init__.py",
    "entrypoints/feature_job.py",
)
_EPOCH = (1980, 1, 1, 0, 0, 0)
"""The same code is the same file."""


def write_job_code(target: Path) -> None:
    """Write the archive, whole."""
    package = Path(gars.__file__).parent
    files = [file for part in PARTS for file in sorted((package / part).rglob("*.py")) or [package / part]]
    with whole_file(target) as half, zipfile.ZipFile(half, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in files:
            entry = zipfile.ZipInfo(str(Path("gars") / file.relative_to(package)), _EPOCH)
            archive.writestr(entry, file.read_bytes())
