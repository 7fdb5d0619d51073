"""Flink's own Python environment: its package pins versions that GARS cannot live with."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

from gars.datasets.durable import whole_folder
from gars.runtime.progress import Progress
from gars.stack.deploy import deploy_folder
from gars.stack.engine import StackError
from gars.stack.java import Jars

VERSIONS = ("3.11", "3.12")
"""Pythons that there is a wheel of apache-flink for."""


class FlinkEnvironment:
    """A virtual environment in a folder named by the hash of its pinned packages."""

    def __init__(self, engines: Path) -> None:
        self._lock = deploy_folder("flink") / "requirements.lock"
        self._jars = Jars("flink", engines)
        pinned = self._lock.read_bytes() + self._jars.pom.read_bytes()
        self.folder = engines / f"flink-python-{hashlib.sha256(pinned).hexdigest()[:12]}"

    @property
    def python(self) -> Path:
        """Its interpreter."""
        return self.folder / "bin" / "python"

    @property
    def packages(self) -> Path:
        """The folder of its packages."""
        return next(self.folder.glob("lib/python3.*/site-packages"), self.folder)

    @property
    def home(self) -> Path:
        """FLINK_HOME: bin, conf, lib."""
        return self.packages / "pyflink"

    def is_there(self) -> bool:
        """Return true if the environment exists."""
        return self.folder.is_dir()

    def install(self, progress: Progress) -> None:
        """Make it, whole or not at all; raises ``StackError``."""
        if self.is_there():
            return
        self._jars.install(progress)
        with progress.task("Getting Flink and its Python environment"), whole_folder(self.folder) as half:
            _run([_python(), "-m", "venv", str(half)])
            pip = [str(half / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
            _run([*pip, "--require-hashes", "--requirement", str(self._lock)])
            flink = next(half.glob("lib/python3.*/site-packages/pyflink"))
            # beside Flink's own: what comes with a job is loaded anew at each restart, and Python cannot be
            for jar in [*self._jars.folder.glob("*.jar"), *flink.glob("opt/flink-python-*.jar")]:
                shutil.copy2(jar, flink / "lib")


def _python() -> str:
    """An interpreter that Flink has wheels for; this one if possible."""
    if f"{sys.version_info.major}.{sys.version_info.minor}" in VERSIONS:
        return sys.executable
    for version in VERSIONS:
        if found := shutil.which(f"python{version}"):
            return found
    raise StackError(
        f"Flink needs Python {' or '.join(VERSIONS)}, and there is none",
        hint=f"install one, for example: uv python install {VERSIONS[-1]}",
    )


def _run(command: list[str]) -> None:
    # a PYTHONPATH of this process is not for another environment
    variables = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=variables)
    if done.returncode:
        raise StackError(
            f"Flink's Python environment could not be made:\n{(done.stdout + done.stderr).strip()[-2000:]}",
            hint=f"try it by hand: {' '.join(command)}",
        )
