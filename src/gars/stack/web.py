"""Serve the page as static files by nginx from the distribution, which forwards API requests to the api."""

from __future__ import annotations

import os
import pwd
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from gars.datasets.durable import write_whole
from gars.runtime.progress import Progress
from gars.stack.deploy import deploy_folder
from gars.stack.engine import Engine, Process, StackError
from gars.stack.probes import http_problem

PAGE = Path(__file__).parents[1] / "entrypoints" / "api" / "page"
"""The folder into which ``make page`` builds the page; the api serves the same."""
COMMAND = ("nginx", "-g", "daemon off;")
"""The container runs the same; the launcher adds where and as whom."""
CONFIGURATION = ("upstream.conf", "nginx.conf")
_API = ("server api:8000 fail_timeout=1s;", "server api:8000 backup max_fails=0;")
_SYSTEM = "/usr/sbin/nginx"
"""Often not on the PATH of users."""


class Web(Engine):
    """The way in for browsers."""

    name = "web"

    def __init__(self, *, folder: Path, apis: Sequence[str], port: int = 8080, page: Path = PAGE) -> None:
        """``apis`` are ``HOST:PORT``; a call of ``prepare`` and SIGHUP apply other ones while it runs."""
        super().__init__(folder=folder)
        self.port = port
        self.apis = apis
        self._page = page

    @property
    def url(self) -> str:
        """The address of the page."""
        return f"http://127.0.0.1:{self.port}"

    def is_installed(self) -> bool:
        """Return true if nginx is found."""
        return _nginx() is not None

    def install(self, _progress: Progress) -> None:
        """Raise ``StackError`` with the install command if there is no nginx."""
        if not self.is_installed():
            raise StackError("the stack serves the page by nginx, and there is none", hint="apt-get install nginx")

    def prepare(self) -> None:
        """Write the configuration files."""
        if not (self._page / "index.html").is_file():
            raise StackError(f"the page is not built: there is no index.html in {self._page}", hint="make page")
        self.folder.mkdir(parents=True, exist_ok=True)
        for name in CONFIGURATION:
            text = (deploy_folder(self.name) / name).read_text()
            for there, here in self.of_this_machine().items():
                text = text.replace(there, here)
            write_whole(self._conf.with_name(name), text.encode())

    def of_this_machine(self) -> Mapping[str, str]:
        """Return the replacements in the container's configuration files for this machine."""
        return {
            " /tmp/": f" {self.folder.resolve()}/",
            **{line: "\n  ".join(line.replace("api:8000", api) for api in self.apis) for line in _API},
            "listen 8080;": f"listen 127.0.0.1:{self.port};",
            "root /usr/share/nginx/html;": f"root {self._page.resolve()};",
        }

    def processes(self) -> Sequence[Process]:
        """Return the nginx process, as the current user: as root, nginx would use a user who may not read the page."""
        _, option, globally = COMMAND
        user = pwd.getpwuid(os.geteuid()).pw_name
        directives = f"{globally} user {user};" if os.geteuid() == 0 else globally
        return [
            Process(
                name=self.name,
                command=[_nginx() or COMMAND[0], "-e", "stderr", "-p", str(self.folder), "-c", str(self._conf),
                         option, directives],
                ports=[self.port],
                problem=lambda: http_problem(f"{self.url}/"),
            )
        ]  # fmt: skip

    @property
    def _conf(self) -> Path:
        return self.folder.resolve() / "nginx.conf"


def _nginx() -> str | None:
    return shutil.which(COMMAND[0]) or (_SYSTEM if Path(_SYSTEM).is_file() else None)
