"""Apache Flink: a JobManager and a TaskManager out of the Python package, and the feature job on them."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from gars.adapters.kafka.address import KafkaAddress
from gars.datasets.durable import write_whole
from gars.runtime.progress import Progress
from gars.stack.deploy import deploy_folder
from gars.stack.engine import Engine, Process, StackError, environment
from gars.stack.flink_environment import FlinkEnvironment
from gars.stack.flink_rest import FlinkRest
from gars.stack.java import java
from gars.stack.job_code import write_job_code
from gars.stack.running import wait_for

_WORKER = "taskmanager"
_JOB_WITHIN_S = 180
_SAVEPOINT_WITHIN_S = 120


class Flink(Engine):
    """The engine of the feature job: from the interactions of ``kafka`` to the states in ``redis``."""

    name = "flink"

    def __init__(
        self,
        *,
        folder: Path,
        engines: Path,
        kafka: KafkaAddress,
        redis: str,
        port: int = 8081,
        rpc_port: int = 6123,
        redis_prefix: str = "gars",
        tombstone_key: Path | None = None,
        traces: str = "",
        parallelism: int = 1,
        settings: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(folder=folder)
        self.rest = FlinkRest(f"http://127.0.0.1:{port}")
        self.parallelism = parallelism
        self._kafka = kafka
        self._redis = redis
        self._redis_prefix = redis_prefix
        self._tombstone_key = tombstone_key
        self._traces = traces
        """GARS_TRACES."""
        self._port = port
        self._rpc_port = rpc_port
        self._settings = dict(settings or {})
        """On top of deploy/flink/config.yaml."""
        self._environment = FlinkEnvironment(engines)

    @property
    def url(self) -> str:
        """Flink's own page."""
        return self.rest.address

    def is_installed(self) -> bool:
        """Return true if its Python environment is installed."""
        return self._environment.is_there()

    def install(self, progress: Progress) -> None:
        """Make its Python environment, with the Kafka connector in it."""
        java()
        self._environment.install(progress)

    def prepare(self) -> None:
        """Write the configuration and pack the job's code."""
        self._conf.mkdir(parents=True, exist_ok=True)
        write_whole(self._conf / "config.yaml", self._config().encode())
        logging = (deploy_folder(self.name) / "log4j-console.properties").read_bytes()
        for name in ("log4j-console.properties", "log4j-cli.properties"):
            write_whole(self._conf / name, logging)
        for folder in ("checkpoints", "savepoints"):
            (self.data / folder).mkdir(parents=True, exist_ok=True)
        write_job_code(self._code)
        self._submitted.unlink(missing_ok=True)

    def processes(self) -> Sequence[Process]:
        """JobManager and TaskManager."""
        return [
            Process(
                name="jobmanager",
                command=self._script("jobmanager.sh", "start-foreground"),
                ports=[self._port, self._rpc_port],
                problem=self.rest.problem,
                environment=self._variables(),
            ),
            Process(
                name=_WORKER,
                command=self._script("taskmanager.sh", "start-foreground"),
                ports=[],
                problem=self._problem,
                environment=self._variables(),
            ),
        ]

    def finish(self) -> None:
        """Submit the job, from the newest savepoint or checkpoint, if it does not run; wait until it does."""
        if not self.rest.live_jobs():
            self.submit(self.newest_snapshot())
        problem = wait_for(lambda: self.rest.job_problem(self._worker_since_s()), _JOB_WITHIN_S)
        if problem is not None:
            raise StackError(
                f"the feature job does not run after {_JOB_WITHIN_S} s: {problem}",
                hint=f"look at {self.url} and at {self.folder / _WORKER / 'log'}",
            )
        write_whole(self._submitted, b"")

    def ended(self) -> str | None:
        """The job, if it is meant to run and Flink has none."""
        try:
            return "the feature job has ended" if self._submitted.exists() and not self.rest.live_jobs() else None
        except StackError:
            return None

    def leave(self) -> None:
        """Stop the job with a savepoint: the next start goes on from it, else from the newest checkpoint."""
        for job in self.rest.live_jobs():
            self.rest.stop(job, self._uri("savepoints"), within_s=_SAVEPOINT_WITHIN_S)

    def submit(self, snapshot: Path | None = None, *, parallelism: int | None = None) -> None:
        """Start the job, with the state of a savepoint or checkpoint.

        Raises:
            StackError: Flink does not take it.
        """
        done = subprocess.run(
            [
                *self._script("flink", "run", "--detached"),
                *(["--fromSavepoint", snapshot.as_uri()] if snapshot else []),
                "--parallelism", str(parallelism or self.parallelism),
                "--pyFiles", str(self._code), "--pyModule", "gars.entrypoints.feature_job",
                "--brokers", self._kafka.bootstrap_servers, "--prefix", self._kafka.prefix,
                "--redis", self._redis, "--redis-prefix", self._redis_prefix,
                *(["--tombstone-key", str(self._tombstone_key)] if self._tombstone_key else []),
                *(["--traces", self._traces] if self._traces else []),
            ],
            env=environment(self._variables()), capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode:
            raise StackError(
                f"Flink did not take the feature job:\n{(done.stdout + done.stderr).strip()[-2000:]}",
                hint=f"look at {self.url}; start without its state by moving {self.data} away",
            )

    def newest_snapshot(self) -> Path | None:
        """The savepoint or checkpoint made last that is whole."""
        whole = [*self.data.glob("savepoints/*/_metadata"), *self.data.glob("checkpoints/*/chk-*/_metadata")]
        return max(whole, key=lambda one: one.stat().st_mtime_ns).parent if whole else None

    def _problem(self) -> str | None:
        since_s = self._worker_since_s()
        problem = self.rest.problem() or self.rest.worker_problem(since_s)
        return self.rest.job_problem(since_s) if problem is None and self._submitted.exists() else problem

    def _worker_since_s(self) -> float:
        """When the TaskManager was started: what Flink knows from before is about another one. 0 if it never was."""
        try:
            return (self.folder / _WORKER / "pid").stat().st_mtime
        except OSError:
            return 0

    def _config(self) -> str:
        own = {
            "jobmanager.rpc.port": str(self._rpc_port),
            "rest.port": str(self._port),
            "parallelism.default": str(self.parallelism),
            # one that is started again takes the place of the one that died, at once
            "taskmanager.resource-id": _WORKER,
            "execution.checkpointing.dir": self._uri("checkpoints"),
            "execution.checkpointing.savepoint-dir": self._uri("savepoints"),
            "python.executable": str(self._environment.python),
            "python.client.executable": str(self._environment.python),
            **self._settings,
        }
        text = (deploy_folder(self.name) / "config.yaml").read_text()
        kept = [line for line in text.splitlines() if line.partition(":")[0] not in own]
        return "\n".join([*kept, "# --- of this machine", *(f"{name}: {value}" for name, value in own.items()), ""])

    def _script(self, name: str, *arguments: str) -> list[str]:
        return [shutil.which("bash") or "bash", str(self._environment.home / "bin" / name), *arguments]

    def _variables(self) -> dict[str, str]:
        python = self._environment.python.parent
        return {
            "FLINK_CONF_DIR": str(self._conf),
            "FLINK_LOG_DIR": str(self.folder),
            "FLINK_PID_DIR": str(self.folder),
            "PATH": f"{python}{os.pathsep}{os.environ.get('PATH', '')}",
            # the interpreter inside the TaskManager does not know that it belongs to an environment
            "PYTHONPATH": str(self._environment.packages),
        }

    def _uri(self, folder: str) -> str:
        return (self.data / folder).resolve().as_uri()

    @property
    def _conf(self) -> Path:
        return self.folder / "conf"

    @property
    def _code(self) -> Path:
        return self.folder / "gars.zip"

    @property
    def _submitted(self) -> Path:
        """There while the job is meant to run."""
        return self.folder / "submitted"
