"""Java and the jars of an engine: from Maven's registry by name, as its ``pom.xml`` in deploy/ pins them."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import threading
from pathlib import Path

from gars.datasets.durable import whole_folder
from gars.runtime.progress import Progress
from gars.stack.deploy import deploy_folder
from gars.stack.engine import Engine, StackError

_OLDEST = 17
_INSTALLING = threading.Lock()


def java() -> str:
    """The command that runs Java; raises ``StackError`` if there is none or it is too old."""
    home = os.environ.get("JAVA_HOME")
    command = str(Path(home) / "bin" / "java") if home else shutil.which("java")
    hint = "install one: apt-get install openjdk-17-jre-headless, or set JAVA_HOME"
    try:
        output = subprocess.run([command or "java", "-version"], capture_output=True, text=True, check=True).stderr
    except (OSError, subprocess.CalledProcessError) as error:
        raise StackError(f"the stack needs Java {_OLDEST} or newer, and there is none", hint=hint) from error
    version = re.search(r'version "(\d+)', output)
    if version is None or int(version[1]) < _OLDEST:
        first_line = output.partition("\n")[0]
        raise StackError(f"the stack needs Java {_OLDEST} or newer, and {command} is {first_line!r}", hint=hint)
    return command or "java"


class Jars:
    """The jars of one engine, in a folder named by the hash of its pom: another pom is another folder."""

    def __init__(self, name: str, engines: Path) -> None:
        self.name = name
        self.pom = deploy_folder(name) / "pom.xml"
        digest = hashlib.sha256(self.pom.read_bytes()).hexdigest()[:12]
        self.folder = engines / f"{name}-{digest}"

    @property
    def classpath(self) -> str:
        """All of them, for ``java -classpath``."""
        return str(self.folder / "*")

    def are_there(self) -> bool:
        """Return true if the jars are installed."""
        return self.folder.is_dir()

    def install(self, progress: Progress) -> None:
        """Have Maven copy them, whole or not at all and once for brokers started together. Raises ``StackError``."""
        with _INSTALLING:
            if not self.are_there():
                self._install(progress)

    def _install(self, progress: Progress) -> None:
        mvn = shutil.which("mvn")
        if mvn is None:
            raise StackError(
                f"the jars of {self.name} come by Maven, and there is no mvn", hint="apt-get install maven"
            )
        with progress.task(f"Getting the jars of {self.name}"), whole_folder(self.folder) as half:
            done = subprocess.run(
                [mvn, "--batch-mode", "--quiet", "--file", str(self.pom), "dependency:copy-dependencies",
                 "-DincludeScope=runtime", f"-DoutputDirectory={half}"],
                capture_output=True, text=True, check=False,
            )  # fmt: skip
            if done.returncode:
                raise StackError(
                    f"Maven could not get the jars of {self.name}:\n{done.stdout.strip()[-2000:]}",
                    hint=f"try it by hand: mvn --file {self.pom} dependency:copy-dependencies",
                )


class JavaEngine(Engine):
    """An engine that consists of jars; its name is the one of their list."""

    def __init__(self, *, folder: Path, engines: Path) -> None:
        super().__init__(folder=folder)
        self._jars = Jars(self.name, engines)

    def is_installed(self) -> bool:
        """Return true if the jars are installed."""
        return self._jars.are_there()

    def install(self, progress: Progress) -> None:
        """Get the jars."""
        java()
        self._jars.install(progress)
