"""Trials of a search as sessions of the HParams dashboard.

The dashboard computes its columns from the sessions, so that several searches over different settings can be looked at
together. Its porcelain (``tensorboard.plugins.hparams.api``) needs TensorFlow; the protobufs below it do not.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from gars.adapters.tensorboard.event_file import EventFile, require
from gars.adapters.tensorboard.training_log import TensorBoardLog
from gars.application.trials import Outcome, Setting, Status, Trial


class Sessions:
    """Writes a session per trial to ``folder``, and its training curves to the subfolder ``curves``.

    Raises:
        MissingExtraError: the ``tensorboard`` extra is not installed.
    """

    def __init__(self, folder: Path, now: Callable[[], float] = time.time) -> None:
        require()
        self.folder = folder
        self._now = now

    def start(self, trial: Trial, settings: Mapping[str, Setting]) -> Session:
        """Open the session of a trial; files of an interrupted one are removed."""
        session = self.folder / trial.name
        curves = self.folder / "curves" / trial.name
        shutil.rmtree(session, ignore_errors=True)
        shutil.rmtree(curves, ignore_errors=True)
        return Session(session, curves, trial, settings, self._now)


class Session:
    """A running trial."""

    def __init__(
        self, folder: Path, curves: Path, trial: Trial, settings: Mapping[str, Setting], now: Callable[[], float]
    ) -> None:
        from tensorboard.plugins.hparams.summary_v2 import hparams_pb

        self._file = EventFile(folder, now)
        self._curves = curves
        self._logs: list[TensorBoardLog] = []
        self._now = now
        shown = {
            name: value if isinstance(value, bool | int | float | str) else str(value)
            for name, value in settings.items()
        }
        self._file.add(hparams_pb({**shown, "users": trial.share}, trial_id=trial.name, start_time_secs=now()))

    def curves(self, fit: str) -> TensorBoardLog:
        """Return the log of one fit of the trial; it has curves only, because there are many fits."""
        self._logs.append(TensorBoardLog(self._curves / fit, histograms=False, now=self._now))
        return self._logs[-1]

    def end(self, outcome: Outcome) -> None:
        """Write the outcome and the end of the trial."""
        from tensorboard.plugins.scalar.summary_v2 import scalar_pb

        for name, interval in outcome.metrics.items():
            self._file.add(scalar_pb(name, interval.mean))
            if interval.low < interval.high:
                self._file.add(scalar_pb(f"{name} low", interval.low))
                self._file.add(scalar_pb(f"{name} high", interval.high))
        if outcome.score is not None:
            self._file.add(scalar_pb("score", outcome.score))
        self._file.add(scalar_pb("seconds", outcome.seconds))
        self._close(outcome.status)

    def stop(self) -> None:
        """Write that the trial was stopped early."""
        self._close(None)

    def _close(self, status: Status | None) -> None:
        self._file.add(_session_end(status, self._now()))
        self._file.close()
        for log in self._logs:
            log.close()


def _session_end(status: Status | None, ended: float) -> Any:
    from tensorboard.compat.proto.summary_pb2 import Summary
    from tensorboard.plugins.hparams import api_pb2, metadata, plugin_data_pb2

    states = {"done": api_pb2.STATUS_SUCCESS, "failed": api_pb2.STATUS_FAILURE, None: api_pb2.STATUS_UNKNOWN}
    ending = plugin_data_pb2.SessionEndInfo(status=states[status], end_time_secs=ended)
    summary = Summary()
    summary.value.add(
        tag=metadata.SESSION_END_INFO_TAG,
        metadata=metadata.create_summary_metadata(plugin_data_pb2.HParamsPluginData(session_end_info=ending)),
        tensor=metadata.NULL_TENSOR,
    )
    return summary
