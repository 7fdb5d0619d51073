from __future__ import annotations

import logging
import sys
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from gars.application.catalogue.about import About
from gars.application.events import rebuild
from gars.application.recommend.list_request import ListRequest
from gars.bootstrap import load_engine, lock_home, open_service, training_data
from gars.bootstrap.addresses import adapter
from gars.config import Settings, from_environment
from gars.datasets import schema
from gars.datasets.dataset import Dataset
from gars.domain.errors import ArtefactError, DataError, GarsError, InvalidInputError, MissingExtraError, StorageError
from gars.testing.engine import FakeEngine
from gars.testing.events import event
from gars_test_support.patience import until


def settings(home: Path, **environment: str) -> Settings:
    return from_environment({f"GARS_{name.upper()}": value for name, value in environment.items()}, home=home)


def refused(home: Path) -> ArtefactError:
    with pytest.raises(ArtefactError) as caught:
        load_engine(home)
    return caught.value


class TestLoadEngine:
    def test_nothing_trained(self, tmp_path: Path) -> None:
        error = refused(tmp_path / "models")
        assert error.message == f"there is no trained model in {tmp_path / 'models'}"
        assert error.hint == "train one with: gars train"

    def test_current_points_to_nothing(self, tmp_path: Path) -> None:
        (tmp_path / "current").symlink_to("abc")
        error = refused(tmp_path)
        assert "points to abc, which is gone" in error.message
        assert error.hint == "see what there is with: gars model list, then: gars model promote VERSION"

    def test_half_trained(self, tmp_path: Path) -> None:
        (tmp_path / "current").mkdir()
        (tmp_path / "current" / "retrieval.npz").write_bytes(b"x")
        error = refused(tmp_path)
        assert "half-written" in error.message
        assert "gars train" in (error.hint or "")

    def test_damaged_manifest(self, tmp_path: Path) -> None:
        (tmp_path / "current").mkdir()
        (tmp_path / "current" / "manifest.json").write_text("{")
        error = refused(tmp_path)
        assert "is damaged" in error.message
        assert "gars train" in (error.hint or "")

    def test_unexpected_error_of_loading_has_a_remedy(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (tmp_path / "current").mkdir()

        def surprise(_path: Path) -> Any:
            raise KeyError("vectors")

        monkeypatch.setattr("gars.bootstrap.model.Recommender.load", surprise)
        error = refused(tmp_path)
        assert "cannot be read: KeyError: 'vectors'" in error.message
        assert error.hint == "train it again with: gars train, or go back with: gars model rollback"


class TestAddresses:
    @pytest.mark.parametrize(
        ("name", "value", "hint"),
        [
            ("event_log", "mongo://localhost", "this version knows sqlite:PATH, kafka://HOST:PORT/PREFIX"),
            ("event_log", "sqlite:", "this version knows sqlite:PATH"),
            ("state_store", "memcached://localhost", "this version knows sqlite:PATH, redis://HOST:PORT/0"),
            ("tombstones", "kafka://localhost:1", "this version knows sqlite:PATH, redis://HOST:PORT/0, cassandra://"),
            ("impressions", "redis://localhost", "this version knows sqlite:PATH, kafka://HOST:PORT/PREFIX, cassandra"),
            ("change_feed", "kafka://localhost:1", "this version knows memory:, redis://HOST:PORT/0"),
        ],
    )
    def test_unknown(self, tmp_path: Path, name: str, value: str, hint: str) -> None:
        with pytest.raises(InvalidInputError) as caught:
            open_service(settings(tmp_path, **{name: value}), FakeEngine())
        assert caught.value.message.startswith(f"GARS_{name.upper()}={value!r}: no such")
        assert (caught.value.hint or "").startswith(hint)

    @pytest.mark.parametrize(
        ("changes", "message", "hint"),
        [
            ({}, "GARS_STATE_STORE='sqlite:", "redis://HOST:PORT/0 where GARS_EVENT_LOG is Kafka"),
            ({"state_store": "redis://h:1/0"}, "and GARS_HISTORY is empty", "GARS_HISTORY=cassandra://HOST:PORT"),
            (
                {"state_store": "redis://h:1/0", "history": "cassandra://h/gars"},
                "GARS_CHANGE_FEED is memory:",
                "set GARS_CHANGE_FEED to the redis:// address",
            ),
        ],
    )
    def test_addresses_that_do_not_fit_together(
        self, tmp_path: Path, changes: dict[str, str], message: str, hint: str
    ) -> None:
        with pytest.raises(InvalidInputError) as caught:
            open_service(settings(tmp_path, event_log="kafka://h:1/gars", **changes), FakeEngine())
        assert message in caught.value.message
        assert hint in (caught.value.hint or "")

    def test_password_is_not_logged(self, tmp_path: Path) -> None:
        with pytest.raises(InvalidInputError) as caught:
            open_service(settings(tmp_path, state_store="rediz://:secret@h:1/0"), FakeEngine())
        assert "secret" not in str(caught.value)

    def test_an_adapter_whose_client_is_not_installed(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(sys.modules, "redis", None)
        monkeypatch.delitem(sys.modules, "gars.adapters.redis.tombstones", raising=False)
        monkeypatch.delitem(sys.modules, "gars.adapters.redis.connection", raising=False)
        with pytest.raises(MissingExtraError, match="an address of redis needs optional packages") as caught:
            adapter("redis", "tombstones")
        assert caught.value.hint == "pip install 'gars[redis]'"

    def test_log_and_states_may_live_apart(self, tmp_path: Path) -> None:
        apart = settings(tmp_path, event_log=f"sqlite://{tmp_path}/log.db", state_store=f"sqlite:{tmp_path}/s.db")
        service = open_service(apart, FakeEngine())
        service.writer.submit([event()]).result(10)
        service.close()
        (tmp_path / "s.db").unlink()
        again = open_service(apart, FakeEngine())
        state = again.states.get("7")
        again.close()
        assert state is not None
        assert state.version == 1


class TestStores:
    def test_a_file_that_is_no_database(self, tmp_path: Path) -> None:
        (tmp_path / "gars.sqlite").write_bytes(b"not a database, but long enough to be taken for one" * 100)
        with pytest.raises(StorageError) as caught:
            open_service(settings(tmp_path), FakeEngine())
        assert "file is not a database" in caught.value.message
        assert "move it away and restore a copy" in (caught.value.hint or "")

    def test_a_folder_that_cannot_be(self, tmp_path: Path) -> None:
        (tmp_path / "home").write_text("a file")
        with pytest.raises(StorageError) as caught:
            open_service(settings(tmp_path / "home"), FakeEngine())
        assert "cannot open" in caught.value.message

    def test_a_home_serves_one_process(self, tmp_path: Path) -> None:
        with lock_home(settings(tmp_path)):
            with pytest.raises(StorageError) as caught, lock_home(settings(tmp_path)):
                pass
            assert "another gars serve (process " in caught.value.message
            assert "--home DIR" in (caught.value.hint or "")
        with lock_home(settings(tmp_path)):
            pass

    def test_a_closed_service_refuses_events(self, tmp_path: Path) -> None:
        service = open_service(settings(tmp_path), FakeEngine())
        service.close()
        service.close()
        with pytest.raises(StorageError) as caught:
            service.writer.submit([event()])
        assert caught.value.message == "the service is stopping"
        with pytest.raises(StorageError, match="is closed"):
            service.states.get("7")


def data_set(home: Path, content_hash: str = "abc") -> Dataset:
    folder = home / "data" / "mine"
    (folder / "interactions").mkdir(parents=True)
    frame = pl.DataFrame(
        {"user_id": [1, 1, 2], "anime_id": [1, 5, 5114], "rating": [9, None, 3], "status": None, "time": None},
        schema=schema.INTERACTIONS,
    )
    frame.write_parquet(folder / "interactions" / "part-0.parquet")
    schema.conform_catalogue(pl.DataFrame({"anime_id": [1], "title": ["x"]})).write_parquet(
        folder / "catalogue.parquet"
    )
    manifest = (
        f'{{"name": "mine", "dialect": "x", "simulated": true, "sources": [], "rows": 3, "users": 2, "anime": 3,'
        f' "duplicates": 0, "content_hash": "{content_hash}"}}'
    )
    (folder / "dataset.json").write_text(manifest)
    return Dataset.open(folder)


class TestHistories:
    def test_users_of_the_data_set_start_with_their_history(self, tmp_path: Path) -> None:
        service = open_service(settings(tmp_path), FakeEngine(), dataset=data_set(tmp_path))
        state = service.states.get("1")
        made = service.recommend(ListRequest(user_id="1"))
        service.close()
        assert state is not None
        assert (state.version, set(state.opinions), state.rating_mean) == (0, {1, 5}, 9)
        assert not made.cold
        assert not {1, 5} & {item.anime_id for item in made.items}

    def test_once_and_never_over_live_events(self, tmp_path: Path) -> None:
        dataset = data_set(tmp_path)
        service = open_service(settings(tmp_path), FakeEngine(), dataset=dataset)
        service.writer.submit([event("1", 1535)]).result(10)
        service.writer.call(lambda: service.forget_user("2")).result(10)
        live = service.states.get("1")
        service.close()
        again = open_service(settings(tmp_path), FakeEngine(), dataset=dataset)
        assert again.states.get("1") == live
        assert again.states.get("2") is None, "forgotten stays forgotten"
        again.close()

    def test_training_data(self, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
        known = About(model_version="v", data_name="mine", data_hash="abc")
        assert training_data(settings(tmp_path), known) is None
        assert "the data set mine is not in" in caplog.text
        data_set(tmp_path)
        found = training_data(settings(tmp_path), known)
        assert found is not None
        assert found.name == "mine"
        caplog.clear()
        other = About(model_version="v", data_name="mine", data_hash="def")
        assert training_data(settings(tmp_path), other) is not None
        assert "is not the one the model was trained on" in caplog.text
        (tmp_path / "snapshots").mkdir()
        data_set(tmp_path / "elsewhere", "def").path.rename(tmp_path / "snapshots" / "def")
        caplog.clear()
        found = training_data(settings(tmp_path), other)
        assert found is not None
        assert (found.content_hash, found.path.name, caplog.text) == ("def", "def", "")

    def test_a_half_written_data_set(self, tmp_path: Path) -> None:
        (tmp_path / "data" / "mine").mkdir(parents=True)
        with pytest.raises(DataError) as caught:
            training_data(settings(tmp_path), About(model_version="v", data_name="mine"))
        assert "half-written" in caught.value.message
        assert isinstance(caught.value, GarsError)


def test_replayed_events_are_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    service = open_service(settings(tmp_path), FakeEngine())
    service.log.append([event(), event()])  # as if the process had died before the states were stored
    service.close()
    with caplog.at_level(logging.WARNING):
        open_service(settings(tmp_path), FakeEngine()).close()
    assert "replayed 2 event(s) that the user states did not hold yet" in caplog.text


def test_states_far_behind_the_log_are_rebuilt_while_the_service_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rebuild, "AT_ONCE", 2)
    service = open_service(settings(tmp_path), FakeEngine())
    service.log.append([event(), event(), event(), event("8")])
    service.close()

    again = open_service(settings(tmp_path), FakeEngine())
    assert "being rebuilt from the event log: 0 of 4 events" in again.warnings()["state"]
    state = again.states.get("7")
    assert state is not None
    assert state.version == 3
    again.stores.start_background_work()
    until(lambda: "state" not in again.warnings())
    assert again.stores.at_hand("7") == state
    again.close()
