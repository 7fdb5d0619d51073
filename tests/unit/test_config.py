from __future__ import annotations

from pathlib import Path

import pytest

from gars.config import documentation, from_environment
from gars.domain.errors import InvalidInputError

MANUAL = Path(__file__).parents[2] / "docs" / "settings.md"


def test_nothing_needs_to_be_set() -> None:
    settings = from_environment({})
    assert settings.home == Path("var")
    assert (settings.host, settings.port) == ("127.0.0.1", 8000)
    assert settings.mirror is None
    assert settings.event_log == settings.state_store == "sqlite:var/gars.sqlite"
    assert (settings.models, settings.datasets) == (Path("var/models"), Path("var/data"))


def test_values_are_read() -> None:
    settings = from_environment(
        {
            "GARS_HOME": "/srv",
            "GARS_PORT": "0",
            "GARS_MIRROR": "/m",
            "GARS_LOG_LEVEL": "INFO",
            "PATH": "/bin",
            "GARS_IMPRESSION_SAMPLE": ".25",
        }
    )
    assert settings.home == Path("/srv")
    assert settings.port == 0
    assert settings.mirror == Path("/m")
    assert settings.log_level == "info"
    assert settings.impression_sample == 0.25
    assert settings.event_log == "sqlite:/srv/gars.sqlite"


def test_empty_is_not_set() -> None:
    assert from_environment({"GARS_PORT": "", "GARS_HOME": ""}) == from_environment({})


def test_an_option_wins_over_the_environment() -> None:
    settings = from_environment({"GARS_HOME": "/srv"}, home=Path("/here"))
    assert (settings.home, settings.state_store) == (Path("/here"), "sqlite:/here/gars.sqlite")


@pytest.mark.parametrize(
    ("environment", "message", "hint"),
    [
        ({"GARS_PORT": "http"}, "GARS_PORT='http': not a whole number from 0 up", "Port the service listens on"),
        ({"GARS_THREADS": "-1"}, "GARS_THREADS='-1': not a whole number", "Threads that run the models"),
        (
            {"GARS_IMPRESSION_SAMPLE": "1.5"},
            "GARS_IMPRESSION_SAMPLE='1.5': not a number from 0 to 1",
            "Share of the lists",
        ),
        ({"GARS_IMPRESSION_SAMPLE": "nan"}, "GARS_IMPRESSION_SAMPLE='nan': not a number from 0 to 1", "1 all, 0 none"),
        ({"GARS_FETCH_LISTS": "yes"}, "GARS_FETCH_LISTS='yes': neither on nor off", "fetched from AniList"),
        ({"GARS_LOG_LEVEL": "loud"}, "GARS_LOG_LEVEL='loud': not one of debug, info", "debug, info, warning or error"),
        ({"GARS_HOMES": "x", "GARS_X": "y"}, "no such setting: GARS_HOMES, GARS_X", "the settings are GARS_ADMIN"),
    ],
)
def test_mistakes_are_reported(environment: dict[str, str], message: str, hint: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        from_environment(environment)
    assert message in caught.value.message
    assert hint in (caught.value.hint or "")


def test_the_manual_lists_the_same_settings() -> None:
    assert documentation() in MANUAL.read_text(), "write gars.config.documentation() into docs/settings.md"
