"""Apache Cassandra: one node, from jars, with the configuration of deploy/cassandra."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from gars.adapters.cassandra.address import CassandraAddress
from gars.datasets.durable import write_whole
from gars.runtime.free_ports import answers
from gars.stack.deploy import deploy_folder
from gars.stack.engine import Process
from gars.stack.java import JavaEngine, java

_START_WITHIN_S = 300


class Cassandra(JavaEngine):
    """The engine of the history. Its address is ``cassandra://127.0.0.1:PORT/KEYSPACE``."""

    name = "cassandra"

    def __init__(
        self,
        *,
        folder: Path,
        engines: Path,
        port: int = 9042,
        storage_port: int = 7000,
        jmx_port: int = 7199,
        keyspace: str = "gars",
        heap_mb: int = 512,
    ) -> None:
        super().__init__(folder=folder, engines=engines)
        self.port = port
        self.address = CassandraAddress(("127.0.0.1",), port, keyspace)
        self._storage_port = storage_port
        self._jmx_port = jmx_port
        self._heap_mb = heap_mb

    @property
    def url(self) -> str:
        """The value of GARS_HISTORY."""
        return f"cassandra://127.0.0.1:{self.port}/{self.address.keyspace}"

    def prepare(self) -> None:
        """Write the configuration."""
        self.data.mkdir(parents=True, exist_ok=True)
        template = (deploy_folder(self.name) / "cassandra.yaml").read_text()
        write_whole(self._yaml, of_this_machine(template, self._own()).encode())
        for name in ("logback.xml", "jvm.options"):
            shutil.copyfile(deploy_folder(self.name) / name, self.folder / name)

    def processes(self) -> Sequence[Process]:
        """The node."""
        return [
            Process(
                name=self.name,
                command=self._command(),
                ports=[self.port, self._storage_port, self._jmx_port],
                problem=self._problem,
                start_within_s=_START_WITHIN_S,
                stop_within_s=60,
            )
        ]

    def finish(self) -> None:
        """Create keyspace and tables."""
        # the driver installs a reactor when it is imported: the spider, in another command, needs its own
        from gars.adapters.cassandra.schema import create_schema

        create_schema(self.address)

    def _problem(self) -> str | None:
        # the driver installs a reactor when it is imported: the spider, in another command, needs its own
        from gars.adapters.cassandra.schema import problem

        return problem(self.address) if answers(self.port) else f"nothing listens on port {self.port}"

    def _own(self) -> dict[str, str]:
        """The keys of cassandra.yaml that differ from one machine to the next."""
        return {
            "listen_address": "127.0.0.1",
            "rpc_address": "127.0.0.1",
            "storage_port": str(self._storage_port),
            "native_transport_port": str(self.port),
            "      - seeds": f'"127.0.0.1:{self._storage_port}"',
            "data_file_directories": f"[{self.data / 'data'}]",
            "commitlog_directory": str(self.data / "commitlog"),
            "saved_caches_directory": str(self.data / "saved_caches"),
            "hints_directory": str(self.data / "hints"),
            "cdc_raw_directory": str(self.data / "cdc_raw"),
        }

    def _command(self) -> list[str]:
        # the agent that measures objects for memtable limits is one of the jars
        measuring = [f"-javaagent:{jar}" for jar in sorted(self._jars.folder.glob("jamm-*.jar"))]
        temporary = Path(tempfile.gettempdir())
        return [
            java(), f"-Xms{self._heap_mb}m", f"-Xmx{self._heap_mb}m", f"@{self.folder / 'jvm.options'}", *measuring,
            f"-Dcassandra.config=file://{self._yaml}", f"-Dcassandra.storagedir={self.data}",
            f"-Dlogback.configurationFile={self.folder / 'logback.xml'}",
            f"-Dcassandra.jmx.local.port={self._jmx_port}", f"-Djava.io.tmpdir={temporary}",
            "-classpath", self._jars.classpath, "org.apache.cassandra.service.CassandraDaemon",
        ]  # fmt: skip

    @property
    def _yaml(self) -> Path:
        return self.folder / "cassandra.yaml"


def of_this_machine(template: str, own: Mapping[str, str]) -> str:
    """The configuration with some of its values replaced; raises ``ValueError`` for a key it does not have once."""
    for key, value in own.items():
        template, count = re.subn(rf"(?m)^{re.escape(key)}: .*$", lambda _, k=key, v=value: f"{k}: {v}", template)  # type: ignore[misc]
        if count != 1:
            raise ValueError(f"cassandra.yaml has {key!r} {count} times")
    return template
