"""``catchment doctor`` on a store: SQLite, and a real PostgreSQL server, as it is and as it may be."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from catchment.core.home import home_settings
from catchment.core.runs import Mode, Trigger
from catchment.services import doctor_store
from catchment.store.engine import open_engine, outside, writing
from catchment.store.migrate import migrate
from catchment.store.postgres_index import NAME
from catchment.sync.claim import add_run
from tests.cli.conftest import Cli
from tests.support.library import Library
from tests.support.postgres import postgres, postgres_server, postgres_store, postgres_template

__all__ = ["postgres", "postgres_server", "postgres_store", "postgres_template"]


class Doctor:
    """The command, looking at a store."""

    def __init__(self, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
        self._cli = cli
        self._monkeypatch = monkeypatch

    def sees(self, url: str, *, code: int) -> dict[str, Any]:
        """Let it look, and return what it found by name."""
        self._monkeypatch.setenv("CATCHMENT_DATABASE_URL", url)
        home_settings.cache_clear()
        said = self._cli("doctor", "--json")
        assert said.code == code, said
        assert "secret" not in said.out + said.err
        return {one["check"]: one for one in said.records}


@pytest.fixture
def doctor(cli: Cli, home: Path, monkeypatch: pytest.MonkeyPatch) -> Doctor:
    return Doctor(cli, monkeypatch)


@pytest.fixture
def clerk(postgres_store: Engine) -> Iterator[str]:
    """The address of the store for a role that is bound by limits."""
    with outside(postgres_store) as connection:
        connection.exec_driver_sql("CREATE ROLE clerk LOGIN")
        connection.exec_driver_sql("GRANT ALL ON ALL TABLES IN SCHEMA public TO clerk")
    yield address(postgres_store, username="clerk")
    with outside(postgres_store) as connection:
        connection.exec_driver_sql("DROP OWNED BY clerk")
        connection.exec_driver_sql("DROP ROLE clerk")


def address(engine: Engine, **parts: Any) -> str:
    return engine.url.set(**parts).render_as_string(hide_password=False)


@pytest.mark.parametrize(("sound_from", "verdict"), [((3, 0), "ok"), ((99,), "note")])
def test_an_sqlite_that_can_damage_its_file_is_told(
    doctor: Doctor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sound_from: tuple[int, ...], verdict: str
) -> None:
    """With what to install; it is rare enough to go on meanwhile."""
    url = f"sqlite:///{tmp_path / 'store.db'}"
    engine = open_engine(url)
    migrate(engine)
    engine.dispose()
    monkeypatch.setattr(doctor_store, "SOUND_SQLITE", sound_from)
    told = doctor.sees(url, code=0)["sqlite"]
    assert told["verdict"] == verdict
    assert ("pysqlite3" in str(told.get("remedy"))) == (verdict == "note")


def test_a_sound_store_is_well(doctor: Doctor, postgres_store: Engine) -> None:
    """Server, revision, index and connections are each told, and nothing is said of SQLite."""
    found = doctor.sees(address(postgres_store), code=0)
    for name in ("postgresql", "store", "index", "connections"):
        assert found[name]["verdict"] == "ok", found[name]
    assert "sqlite" not in found
    assert "store integrity" not in found


def test_a_server_that_cannot_be_reached_is_told_without_its_password(doctor: Doctor) -> None:
    """Host and database are named, and the setting."""
    found = doctor.sees("postgresql://ann:secret@127.0.0.1:1/catchment", code=1)
    assert found["postgresql"]["verdict"] == "wrong"
    assert "127.0.0.1:1/catchment" in found["postgresql"]["message"]
    assert "CATCHMENT_DATABASE_URL" in found["postgresql"]["remedy"]
    assert "store" not in found


def test_an_address_of_another_database_is_told(doctor: Doctor) -> None:
    """A finding as the others, and no end of the examination."""
    found = doctor.sees("mysql://ann:secret@127.0.0.1/catchment", code=1)
    assert "CATCHMENT_DATABASE_URL" in found["store"]["remedy"]
    assert "prefect api" in found or "prefect" in found


def test_a_server_that_is_too_old_is_told(
    doctor: Doctor, postgres_store: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the version that is needed."""
    monkeypatch.setattr(doctor_store, "LEAST_POSTGRESQL", 99)
    found = doctor.sees(address(postgres_store), code=1)
    assert found["postgresql"]["verdict"] == "wrong"
    assert "99 or newer" in found["postgresql"]["remedy"]


def test_a_database_that_takes_no_writes_is_told(doctor: Doctor, postgres_store: Engine) -> None:
    """A standby would be read for a while before the first sync fails."""
    with outside(postgres_store) as connection:
        connection.exec_driver_sql(
            f"ALTER DATABASE {postgres_store.url.database} SET default_transaction_read_only = on"
        )
    found = doctor.sees(address(postgres_store), code=1)
    assert "takes no writes" in found["postgresql"]["message"]


def test_an_empty_database_and_an_older_store_ask_for_migrate(doctor: Doctor, postgres: Engine) -> None:
    """The command that helps is named."""
    assert "catchment migrate" in doctor.sees(address(postgres), code=1)["store"]["remedy"]
    with writing(postgres) as connection:
        connection.exec_driver_sql("CREATE TABLE alembic_version (version_num text)")
        connection.exec_driver_sql("INSERT INTO alembic_version VALUES ('0000')")
    found = doctor.sees(address(postgres), code=1)
    assert found["store"]["verdict"] == "wrong"
    assert "0000" in found["store"]["message"]
    assert "catchment migrate" in found["store"]["remedy"]


class TestTheIndex:
    def test_that_a_broken_off_first_load_did_not_build_is_missed(
        self, doctor: Doctor, postgres_store: Engine
    ) -> None:
        """Searches work, slowly, so that nobody would notice; what is half built is as good as none."""
        Library(postgres_store).add("the gauge at the weir")
        found = doctor.sees(address(postgres_store), code=1)
        assert (found["index"]["verdict"], NAME in found["index"]["message"]) == ("wrong", True)
        with outside(postgres_store) as connection:
            connection.exec_driver_sql(f"CREATE INDEX {NAME} ON chunks USING gin (words)")
            connection.exec_driver_sql(
                "UPDATE pg_index SET indisvalid = false WHERE indexrelid = to_regclass(%s)", (NAME,)
            )
        assert doctor.sees(address(postgres_store), code=1)["index"]["verdict"] == "wrong"

    def test_is_not_missed_while_a_run_is_loading(self, doctor: Doctor, postgres_store: Engine) -> None:
        """Its end builds it."""
        library = Library(postgres_store)
        library.add("the gauge at the weir")
        with writing(postgres_store) as connection:
            add_run(connection, "r1", library.connector_pk, mode=Mode.AUTO, trigger=Trigger.MANUAL, names=[])
        # The library's connector has no settings, which the doctor finds wrong by itself.
        assert doctor.sees(address(postgres_store), code=1)["index"]["verdict"] == "note"


class TestConnections:
    @pytest.mark.parametrize(("limit", "verdict", "code"), [(5, "wrong", 1), (15, "note", 0), (30, "ok", 0)])
    @pytest.mark.parametrize("whose", ["ROLE", "DATABASE"])
    def test_that_are_too_few_are_told_with_what_limits_them(
        self,
        doctor: Doctor,
        postgres_store: Engine,
        clerk: str,
        whose: str,
        limit: int,
        verdict: str,
        code: int,
    ) -> None:
        """Fewer than one process opens is a fault; fewer than two open is worth knowing."""
        name = "clerk" if whose == "ROLE" else postgres_store.url.database
        with outside(postgres_store) as connection:
            connection.exec_driver_sql(f"ALTER {whose} {name} CONNECTION LIMIT {limit}")
        found = doctor.sees(clerk, code=code)["connections"]
        assert found["verdict"] == verdict
        if verdict != "ok":
            assert f"room for {limit} connections" in found["message"]
            assert f"ALTER {whose}" in found["remedy"]
