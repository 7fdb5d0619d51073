"""Apache Kafka: one broker that is its own controller, from jars."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from gars.adapters.kafka.address import KafkaAddress
from gars.adapters.kafka.topics import create_topics, problem
from gars.datasets.durable import write_whole
from gars.runtime.free_ports import answers
from gars.stack.deploy import deploy_folder
from gars.stack.engine import Process, StackError
from gars.stack.java import JavaEngine, java

_CLUSTER_ID = "Z2Fycy1sb2NhbC1jbHVzdA"
"""Which cluster the data belong to; every broker of one machine may have the same."""


class Kafka(JavaEngine):
    """The engine of the event log. Its address is ``kafka://127.0.0.1:PORT/PREFIX``."""

    name = "kafka"

    def __init__(
        self,
        *,
        folder: Path,
        engines: Path,
        port: int = 9092,
        controller_port: int = 9093,
        prefix: str = "gars",
        kept_days: int = 0,
        heap_mb: int = 384,
        settings: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(folder=folder, engines=engines)
        self.port = port
        self.address = KafkaAddress(f"127.0.0.1:{port}", prefix)
        self._controller_port = controller_port
        self._kept_days = kept_days
        self._heap_mb = heap_mb
        self._settings = dict(settings or {})
        """On top of deploy/kafka/server.properties."""

    @property
    def url(self) -> str:
        """The value of GARS_EVENT_LOG."""
        return f"kafka://{self.address.bootstrap_servers}/{self.address.prefix}"

    def prepare(self) -> None:
        """Write the configuration and format the data folder."""
        self.folder.mkdir(parents=True, exist_ok=True)
        write_whole(
            self._properties,
            (deploy_folder(self.name) / "server.properties").read_bytes()
            + b"\n# of this machine\n"
            + self.of_this_machine().encode(),
        )
        if (self.data / "meta.properties").is_file():
            return
        # the controllers of several brokers know each other beforehand
        alone = () if "controller.quorum.voters" in self._settings else ("--standalone",)
        done = subprocess.run(
            self._java("kafka.tools.StorageTool", "format", *alone, "--ignore-formatted",
                       "--cluster-id", _CLUSTER_ID, "--config", str(self._properties)),
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode:
            raise StackError(
                f"cannot format the folder of Kafka:\n{(done.stdout + done.stderr).strip()[-2000:]}",
                hint=f"look at {self._properties}",
            )

    def of_this_machine(self) -> str:
        """The properties that differ from one machine to the next."""
        return (
            f"listeners=PLAINTEXT://127.0.0.1:{self.port},CONTROLLER://127.0.0.1:{self._controller_port}\n"
            f"advertised.listeners=PLAINTEXT://127.0.0.1:{self.port}\n"
            f"controller.quorum.bootstrap.servers=127.0.0.1:{self._controller_port}\nlog.dirs={self.data}\n"
            + "".join(f"{name}={value}\n" for name, value in self._settings.items())
        )

    def processes(self) -> Sequence[Process]:
        """The broker."""
        return [
            Process(
                name=self.name,
                command=self._java("kafka.Kafka", str(self._properties)),
                ports=[self.port, self._controller_port],
                problem=self._problem,
            )
        ]

    def finish(self) -> None:
        """Create the topics, or change how long they keep their records."""
        create_topics(self.address, kept_days=self._kept_days)

    def _problem(self) -> str | None:
        return problem(self.address) if answers(self.port) else f"nothing listens on port {self.port}"

    @property
    def _properties(self) -> Path:
        return self.folder / "server.properties"

    def _java(self, *arguments: str) -> list[str]:
        logging = deploy_folder(self.name) / "log4j2.properties"
        return [
            java(), f"-Xmx{self._heap_mb}m", "-XX:+UseSerialGC", "-XX:+ExitOnOutOfMemoryError",
            f"-Dlog4j2.configurationFile={logging}", "-classpath", self._jars.classpath, *arguments,
        ]  # fmt: skip
