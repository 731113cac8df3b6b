"""Settings, as the environment gives them."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from catchment.core import settings as module
from catchment.core.home import HomeSettings, home_settings
from catchment.core.settings import ParseSettings, SyncSettings


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    for name in list(os.environ):
        if name.startswith("CATCHMENT_"):
            monkeypatch.delenv(name)


def test_every_number_has_a_default() -> None:
    """Nothing has to be set."""
    assert SyncSettings().batch_items == 512
    assert ParseSettings().seconds == 60.0
    assert HomeSettings.read().root.is_absolute()


def test_the_environment_overrides_by_subject_and_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """CATCHMENT_<SUBJECT>_<NAME>, lists as JSON, unknown names without effect."""
    monkeypatch.setenv("CATCHMENT_SYNC_FETCHES", "4")
    monkeypatch.setenv("CATCHMENT_SYNC_RETRY_DELAYS_SECONDS", "[1, 2]")
    monkeypatch.setenv("CATCHMENT_PARSE_SECONDS", "1.5")
    monkeypatch.setenv("CATCHMENT_SYNC_NO_SUCH_SETTING", "x")
    read = module.read_environment(SyncSettings, "SYNC")
    assert (read.fetches, read.retry_delays_seconds, read.attempts) == (4, (1, 2), 5)
    assert isinstance(read, SyncSettings)
    assert module.read_environment(ParseSettings, "PARSE").seconds == 1.5


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SYNC_FETCHES", "0"),
        ("SYNC_FETCHES", "many"),
        ("SYNC_BATCH_ITEMS", "10001"),
        ("SYNC_GUARD_FRACTION", "1.1"),
        ("SYNC_HEARTBEAT_SECONDS", "11"),
        ("SYNC_LEASE_SECONDS", "1"),
        ("PARSE_MEMORY_BYTES", "1"),
    ],
)
def test_a_value_out_of_range_is_refused_by_name(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    """A setting that would break a promise does not start."""
    monkeypatch.setenv(f"CATCHMENT_{name}", value)
    subject, _, field = name.partition("_")
    kind = SyncSettings if subject == "SYNC" else ParseSettings
    with pytest.raises(ValidationError, match=field.lower()):
        module.read_environment(kind, subject)


def test_a_living_run_touches_its_row_before_it_counts_as_dead() -> None:
    """The defaults leave room for several missed heartbeats."""
    defaults = SyncSettings()
    assert defaults.heartbeat_seconds * 3 <= defaults.lease_seconds


class TestTheHome:
    def test_holds_the_store(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        """The store is a file in the home unless an address is given."""
        monkeypatch.setenv("CATCHMENT_HOME", str(tmp_path))
        assert HomeSettings.read().store_url == f"sqlite:///{tmp_path / 'catchment.db'}"
        monkeypatch.setenv("CATCHMENT_DATABASE_URL", "postgresql://u:secret@h/d")
        assert HomeSettings.read().store_url == "postgresql://u:secret@h/d"

    def test_may_be_written_with_a_tilde_or_from_here(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        """~ and relative paths become absolute."""
        monkeypatch.setenv("HOME", str(tmp_path))
        monkeypatch.chdir(tmp_path)
        for written in ("~/house", "house"):
            monkeypatch.setenv("CATCHMENT_HOME", written)
            assert HomeSettings.read().root == tmp_path / "house"

    def test_shows_no_secret(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Neither form has the password of the store or of Prefect."""
        monkeypatch.setenv("CATCHMENT_DATABASE_URL", "postgresql://u:hidden@h/d")
        monkeypatch.setenv("CATCHMENT_PREFECT_API_AUTH", "admin:hidden")
        made = HomeSettings.read()
        assert "hidden" not in f"{made!r} {made}"


def test_a_process_reads_its_settings_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A change of the environment does not change a run under way."""
    for read in (home_settings, module.sync_settings, module.parse_settings):
        read.cache_clear()
        assert read() is read()
        read.cache_clear()
