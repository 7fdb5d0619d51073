"""One run: from what was crawled to the model that serves, or to the reason why it does not."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import polars as pl

from gars.datasets import snapshots
from gars.datasets.acceptance import NotAcceptedError, require_accepted
from gars.datasets.dataset import Dataset
from gars.datasets.durable import sha256_of, write_whole
from gars.datasets.refreshed import refreshed
from gars.datasets.thresholds import Thresholds
from gars.datasets.validation_report import report_html
from gars.domain.errors import ArtefactError
from gars.library import atlas_store
from gars.library.artefact import read_manifest
from gars.library.fit_config import FitConfig
from gars.library.fitting import FitHooks
from gars.library.recommender import Recommender, fit_with
from gars.library.registry import Registry
from gars.pipeline import holdout_users
from gars.pipeline.comparison import FEWEST_USERS, Verdict, against_popularity, against_serving
from gars.pipeline.journal import Ended, RunJournal, now, run_step
from gars.pipeline.lineage import lineage
from gars.pipeline.logged_training_data import LoggedTrainingData
from gars.pipeline.promotions import roll_back, rollbacks
from gars.pipeline.runs import VALIDATION
from gars.runtime.progress import Progress

Output = dict[str, Any]
Crawl = Callable[[Path], None]
"""Writes a file of crawled pages, or of lists; may be stopped and called again."""
IsDeleted = Callable[[int], bool]
Confirm = Callable[[str], str | None]
"""Waits until the running service has taken up a version; → why it did not, ``None`` when it did."""
Watch = Callable[[str, str, datetime], str | None]
"""Watches what came of a promotion (version before, version, when); → what fell, ``None`` for nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outside:
    """Connections of a run to services outside the home folder."""

    find_base: Callable[[], Dataset]
    """The data set to begin with."""
    crawled: tuple[Path, ...] = ()
    """Files of crawled pages that are there already."""
    crawl: Crawl | None = None
    season: Callable[[], Path] | None = None
    """Asks for the anime of the season; → Parquet in the form of a catalogue."""
    lists: Callable[[Path], Dataset] | None = None
    """Makes a data set of newer lists in a folder."""
    deleted: Callable[[], AbstractContextManager[IsDeleted]]
    deletions: Callable[[], str]
    """Changes when a user was deleted."""
    shown: Callable[[Dataset], AbstractContextManager[LoggedTrainingData]] | None = None
    """The lists the service showed, for the ranker to learn from too."""
    confirm: Confirm | None = None
    watch: Watch | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pipeline:
    """Settings and inputs of one run."""

    home: Path
    journal: RunJournal
    config: FitConfig
    seed: int
    thresholds: Thresholds
    outside: Outside
    progress: Progress
    fit: Callable[..., Recommender] = fit_with
    promote: bool = True
    """Off: evaluate, and leave the serving model alone."""

    def run(self) -> Ended:
        """Do what is left to do of the run.

        Raises:
            NotAcceptedError: the data broke a threshold; the run is over and nothing was trained.
            GarsError: a step failed; the same run tries it again.
        """
        try:
            ended = self._steps()
        except NotAcceptedError as error:
            self.journal.append(Ended(verdict="stopped", message=error.message, time=now()))
            raise
        self.journal.append(ended)
        return ended

    def _steps(self) -> Ended:
        start = self._step("start", {}, self._start)
        merged = self._merge(start)
        self._step(
            "validate",
            {"data": merged["content_hash"], "thresholds": msgspec.to_builtins(self.thresholds)},
            lambda: self._validate(Path(merged["path"])),
        )
        snapshot = self._step(
            "snapshot",
            {"data": merged["content_hash"], "deletions": self.outside.deletions()},
            lambda: self._snapshot(Path(merged["path"])),
            still_there=lambda made: (self.home / snapshots.FOLDER / made["hash"]).is_dir(),
        )
        serving: str | None = start["serving"]
        # the log moves on without the data
        if serving is not None and self.outside.shown is None and self._is_made_of(serving, snapshot["hash"]):
            return self._ended("kept", f"nothing is new: {serving} was trained on this snapshot with these settings")
        trained = self._step(
            "train",
            {"snapshot": snapshot["hash"], "config": msgspec.to_builtins(self.config), "seed": self.seed},
            lambda: self._train(snapshot["hash"]),
            still_there=lambda made: (self._registry.folder / made["version"] / "manifest.json").is_file(),
        )
        candidate: str = trained["version"]
        if candidate == serving:
            return self._ended("kept", f"training gave {serving} again")
        evaluated = self._step(
            "evaluate",
            {"candidate": candidate, "serving": serving, "snapshot": snapshot["hash"]},
            lambda: self._evaluate(candidate, serving, snapshot["hash"]),
        )
        verdict = msgspec.convert(evaluated, Verdict)
        if not verdict.promote:
            return self._ended("kept", f"{candidate} is not promoted: {verdict.why}")
        if any(one.version == candidate for one in rollbacks(self._registry)):
            return self._ended("kept", f"{candidate} is not promoted: it was rolled back before")
        if not self.promote:
            return self._ended("kept", f"{candidate} may be promoted: {verdict.why}")
        return self._put_into_service(candidate, serving)

    def _put_into_service(self, candidate: str, serving: str | None) -> Ended:
        promoted = self._step(
            "promote", {"candidate": candidate, "serving": serving}, lambda: self._promote(candidate, serving)
        )
        for name, check in (
            ("swap", self._confirm(candidate)),
            ("watch", self._watch(candidate, serving, promoted["time"])),
        ):
            if check is None:
                continue
            problem = self._step(name, {"candidate": candidate, "promoted": promoted["time"]}, check)["problem"]
            if problem is not None and serving is not None:
                roll_back(self._registry, version=candidate, to=serving, why=problem)
                return self._ended("rolled back", f"{serving} serves again in place of {candidate}: {problem}")
            if problem is not None:
                return self._ended("promoted", f"{candidate} serves, with nothing to go back to: {problem}")
        return self._ended("promoted", f"{candidate} serves")

    @property
    def _registry(self) -> Registry:
        return Registry(self.home / "models")

    def _step(
        self,
        name: str,
        made_of: Output,
        do: Callable[[], Output],
        still_there: Callable[[Output], bool] = lambda _: True,
    ) -> Output:
        return run_step(self.journal, name, made_of, do, progress=self.progress, still_there=still_there)

    def _ended(self, verdict: str, message: str) -> Ended:
        return Ended(verdict=verdict, message=message, time=now())

    def _start(self) -> Output:
        base = self.outside.find_base()
        return {"path": str(base.path.resolve()), "base": base.content_hash, "serving": self._registry.current()}

    def _merge(self, start: Output) -> Output:
        crawls = {path.name: sha256_of(path) for path in self.outside.crawled}
        files = list(self.outside.crawled)
        if self.outside.crawl is not None:
            made = self._step("crawl", {}, self._crawl, still_there=_is_file)
            files.append(Path(made["path"]))
            crawls["crawl"] = made["sha256"]
        airing: Output = {}
        if self.outside.season is not None:
            airing = self._step("season", {}, self._season, still_there=_is_file)
        newer: Output = {}
        if self.outside.lists is not None:
            newer = self._step("lists", {}, self._lists, still_there=lambda made: Path(made["path"]).is_dir())
        if not files and not newer and not airing:
            return {"path": start["path"], "content_hash": start["base"]}
        return self._step(
            "merge",
            {"base": start["base"], "crawls": crawls, "lists": newer.get("content_hash")}
            | ({"season": airing["sha256"]} if airing else {}),
            lambda: self._merged(Path(start["path"]), files, newer, Path(airing["path"]) if airing else None),
            still_there=lambda made: Path(made["path"]).is_dir(),
        )

    def _crawl(self) -> Output:
        assert self.outside.crawl is not None
        path = self.journal.folder / "crawl.jsonl"
        self.outside.crawl(path)
        return {"path": str(path.resolve()), "sha256": sha256_of(path)}

    def _season(self) -> Output:
        assert self.outside.season is not None
        path = self.journal.folder / "season.parquet"
        write_whole(path, self.outside.season().read_bytes())
        return {"path": str(path.resolve()), "sha256": sha256_of(path)}

    def _lists(self) -> Output:
        assert self.outside.lists is not None
        made = self.outside.lists(self.journal.folder)
        return {"path": str(made.path.resolve()), "content_hash": made.content_hash, "rows": made.manifest.rows}

    def _merged(self, base: Path, crawls: list[Path], newer: Output, season: Path | None) -> Output:
        dataset = Dataset.open(base)
        lists = Dataset.open(Path(newer["path"])) if newer else None
        with self.progress.task("merge"):
            made = refreshed(
                dataset, self.journal.folder / "data" / dataset.name, crawls=crawls, lists=lists, season=season
            )
        manifest = made.manifest
        counts = {"rows": manifest.rows, "users": manifest.users, "new_anime": manifest.report.get("new_anime", 0)}
        return {"path": str(made.path.resolve()), "content_hash": made.content_hash, **counts}

    def _validate(self, path: Path) -> Output:
        with self.progress.task("validate"):
            validation = snapshots.validation_of(self.home, Dataset.open(path), self.thresholds)
        write_whole(self.journal.folder / "validation.html", report_html(validation).encode())
        write_whole(self.journal.folder / VALIDATION, msgspec.json.encode(validation))
        require_accepted(validation)
        return {"checks": len(validation.checks), "rows": validation.report.rows, "users": validation.report.users}

    def _snapshot(self, path: Path) -> Output:
        with self.progress.task("snapshot"), self.outside.deleted() as is_deleted:
            taken = snapshots.take(
                self.home, Dataset.open(path), self.thresholds, now=datetime.now(UTC), is_deleted=is_deleted
            )
        return {"hash": taken.hash, "parent": taken.parent, "rows": taken.rows, "deleted_users": taken.deleted_users}

    def _is_made_of(self, version: str, snapshot: str) -> bool:
        manifest = read_manifest(self._registry.folder / version)
        config = msgspec.json.decode(msgspec.json.encode(self.config))
        given = manifest.data.get("settings", manifest.config)
        return (manifest.data.get("content_hash"), given, manifest.seed) == (snapshot, config, self.seed)

    def _train(self, snapshot: str) -> Output:
        dataset = snapshots.open_snapshot(self.home, snapshot)
        rows = dataset.interactions().collect()
        kept_out = holdout_users.choose(rows)
        about = {**lineage(dataset, self.config), "kept_out": len(kept_out), "run": self.journal.folder.name}
        with self.outside.shown(dataset) if self.outside.shown is not None else nullcontext() as shown:
            fitted = self.fit(
                FitHooks(blend=shown),
                rows.filter(~pl.col("user_id").is_in(kept_out)),
                dataset.catalogue(),
                users=dataset.users(),
                config=self.config,
                seed=self.seed,
                progress=self.progress,
            )
        if shown is not None:
            self.progress.note(shown.summary())
            about["from_log"] = {"lists": shown.used, "places": shown.places, "blended": shown.blended}
        manifest = self._registry.add(lambda folder: fitted.save(folder, data=about))
        atlas_store.add(self.home, manifest.version, fitted.engine, self.progress)
        return {"version": manifest.version, "kept_out": len(kept_out), "metrics": manifest.metrics}

    def _evaluate(self, candidate: str, serving: str | None, snapshot: str) -> Output:
        rows = snapshots.open_snapshot(self.home, snapshot).interactions().collect()
        users = holdout_users.choose(rows)
        fresh = Recommender.load(self._registry.folder / candidate)
        before = Recommender.load(self._registry.folder / serving) if serving is not None else None
        known = set(before.user_ids.tolist()) if before is not None else set()
        unseen = [user for user in users.tolist() if user not in known]
        if before is not None and len(unseen) >= FEWEST_USERS:
            evaluated = holdout_users.hide(rows, unseen)
            verdict = against_serving(
                fresh, before, evaluated, against=before.engine.version, seed=self.seed, progress=self.progress
            )
        else:
            verdict = against_popularity(
                fresh, holdout_users.hide(rows, users.tolist()), seed=self.seed, progress=self.progress
            )
            if before is not None:
                self.progress.note(
                    f"{serving} was trained on users the candidate was to be judged by: compared with the popular list"
                )
        found: Output = msgspec.to_builtins(verdict)
        return found

    def _promote(self, candidate: str, serving: str | None) -> Output:
        current = self._registry.current()
        if current not in (serving, candidate):
            raise ArtefactError(
                f"{current} was promoted while {candidate} was made to be compared with {serving}",
                hint="compare with it in a new run: gars pipeline run --fresh",
            )
        if current != candidate:
            self._registry.promote(candidate)
        return {"version": candidate, "time": now()}

    def _confirm(self, candidate: str) -> Callable[[], Output] | None:
        confirm = self.outside.confirm
        return None if confirm is None else lambda: {"problem": confirm(candidate)}

    def _watch(self, candidate: str, serving: str | None, promoted: str) -> Callable[[], Output] | None:
        watch = self.outside.watch
        if watch is None or serving is None:
            return None
        return lambda: {"problem": watch(serving, candidate, datetime.fromisoformat(promoted))}


def _is_file(made: Output) -> bool:
    path = Path(made["path"])
    return path.is_file() and sha256_of(path) == made["sha256"]
