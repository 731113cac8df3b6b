"""``migrate``, ``doctor``, ``version``, and the stack where there is none."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from catchment.cli.house import House
from catchment.core.home import home_settings
from catchment.store.migrate import HEAD
from tests.cli.conftest import Cli, Place


def test_migrate_makes_the_store_once(home: Path, cli: Cli) -> None:
    """A second time there is nothing to do, and that is no error."""
    assert cli("migrate", "--json").record["revision"] == HEAD
    assert (home / "catchment.db").exists()
    assert "already" in cli("migrate").out
    assert cli("status").code == 0


def test_a_store_of_another_revision_is_refused_everywhere(synced: Place, cli: Cli) -> None:
    """By every command that uses it, with the command that helps."""
    with synced.house.engine.connect() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '0000'")
        connection.commit()
    for words in (("status",), ("search", "x"), ("sync", "docs"), ("cursor", "show", "docs")):
        said = cli(*words)
        assert said.code == 2
        assert "catchment migrate" in said.err


def test_doctor_finds_nothing_in_a_sound_home(synced: Place, cli: Cli) -> None:
    """A stack that is not running is no fault: what needs it starts it."""
    said = cli("doctor", "--json")
    assert [one for one in said.records if one["verdict"] == "wrong"] == []
    assert said.code == 0
    checks = {one["check"] for one in said.records}
    assert {"python", "prefect", "home", "disk", "parser", "store integrity", "index integrity"} <= checks
    assert "connector docs" in checks
    assert "Everything is in order." in cli("doctor").out


def test_doctor_objects_to_a_home_that_others_can_read(synced: Place, cli: Cli) -> None:
    """It holds secrets; exit code 1 and the command that mends it."""
    synced.home.chmod(0o755)
    said = cli("doctor")
    assert said.code == 1
    assert f"chmod 700 {synced.home}" in said.out


def test_doctor_finds_an_index_that_does_not_match(synced: Place, cli: Cli) -> None:
    """A chunk whose words the index does not know."""
    with synced.house.engine.connect() as connection:
        connection.exec_driver_sql("UPDATE chunks SET text = 'changed behind the back of the index'")
        connection.commit()
    wrong = [one["check"] for one in cli("doctor", "--json").records if one["verdict"] == "wrong"]
    assert wrong == ["index integrity"]


def test_doctor_finds_a_source_that_is_gone(synced: Place, cli: Cli) -> None:
    """The finding names the connector."""
    synced.docs.rename(synced.docs.with_name("elsewhere"))
    wrong = [one["check"] for one in cli("doctor", "--json").records if one["verdict"] == "wrong"]
    assert wrong == ["connector docs"]


def test_doctor_objects_to_an_outside_prefect_without_sign_in(
    place: Place, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would give the credentials of all sources to whoever asks."""
    from catchment.services import doctor

    monkeypatch.setattr(doctor, "PrefectClient", lambda *_: place.wire.client())
    monkeypatch.setenv("CATCHMENT_PREFECT_API_URL", "http://prefect.test/api")
    home_settings.cache_clear()
    found = {one["check"]: one for one in cli("doctor", "--json").records}
    assert found["prefect secrets"]["verdict"] == "wrong"
    assert "PREFECT_SERVER_API_AUTH_STRING" in found["prefect secrets"]["remedy"]
    assert found["worker"]["verdict"] == "wrong"
    assert found["block types"]["verdict"] == "ok"
    place.wire.is_away = True
    found = {one["check"]: one for one in cli("doctor", "--json").records}
    assert found["prefect api"]["verdict"] == "wrong"


def test_an_outside_prefect_that_does_not_answer_is_named(
    home: Path, cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit code 2 with the setting; no local stack is started in its place."""
    monkeypatch.setenv("CATCHMENT_PREFECT_API_URL", "http://127.0.0.1:9/api")
    home_settings.cache_clear()
    said = cli("sync", tmp_path)
    assert said.code == 2
    assert "CATCHMENT_PREFECT_API_URL" in said.err
    assert cli("up").code == 2
    assert not (home / "run").exists()


def test_down_without_a_stack_is_no_error(cli: Cli) -> None:
    """There is nothing to stop, and it says so."""
    assert "not running" in cli("down").out
    assert cli("down", "--json").record == {"stopped": False}


def test_version_tells_what_it_stands_on(cli: Cli) -> None:
    """Both forms; --version is the short one."""
    assert {"catchment", "prefect", "python"} <= set(cli("version", "--json").record)
    assert cli("--version").out.strip()


def test_worker_becomes_the_worker_of_an_outside_prefect(
    place: Place, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With address and sign-in in its environment, never on its command line."""
    _ = place.house
    became: list[tuple[list[str], dict[str, str]]] = []
    monkeypatch.setattr(os, "execve", lambda _path, words, environment: became.append((words, environment)))
    monkeypatch.setattr(os, "chdir", lambda _folder: None)
    monkeypatch.setattr(House, "is_local", property(lambda _self: False))
    monkeypatch.setenv("CATCHMENT_PREFECT_API_AUTH", "ann:canary")
    home_settings.cache_clear()
    place.wire.pool = {"name": "catchment"}
    cli("worker", "--limit", "3", "--name", "north")
    ((words, environment),) = became
    assert words[-6:] == ["--pool", "catchment", "--name", "north", "--limit", "3"]
    assert environment["PREFECT_API_URL"] == "http://prefect.test/api"
    assert environment["PREFECT_API_AUTH_STRING"] == "ann:canary"
    assert not any("canary" in word for word in words)
