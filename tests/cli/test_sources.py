"""``catchment sync`` with addresses of servers: what is tried before anything is stored, and what is kept."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from tests.cli.conftest import Cli, Place
from tests.support.postgres import Site, postgres_site
from tests.support.s3 import ACCESS_KEY, SECRET_KEY, Bucket, Moto

__all__ = ["postgres_site"]
PASSWORD = "canary-of-a-password"


@pytest.fixture(scope="module")
def moto() -> Iterator[Moto]:
    server = Moto()
    yield server
    server.close()


@pytest.fixture
def reports(moto: Moto) -> Bucket:
    """A bucket with thirty objects below `reports/`."""
    bucket = moto.bucket()
    bucket.fill(30, pattern="reports/{:03}.txt")
    return bucket


@pytest.fixture
def papers(postgres_site: Site) -> Iterator[psycopg.Connection[Any]]:
    """A table of three rows that a role with a password may read."""
    with postgres_site.database() as name, postgres_site.connect(name) as owner:
        owner.execute("CREATE TABLE papers (id int PRIMARY KEY, body text)")
        owner.execute("INSERT INTO papers SELECT g, 'words of paper ' || g FROM generate_series(1, 3) g")
        owner.execute(f"CREATE ROLE clerk LOGIN PASSWORD '{PASSWORD}'")
        owner.execute("GRANT SELECT ON papers TO clerk")
        yield owner
        owner.execute("DROP OWNED BY clerk")
        owner.execute("DROP ROLE clerk")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


class TestABucket:
    def address(self, moto: Moto, place: str, *, endpoint: str = "") -> str:
        return f"s3://{ACCESS_KEY}:{SECRET_KEY}@{place}?endpoint={endpoint or moto.url}"

    def test_with_a_slip_in_its_address_is_refused_and_nothing_is_made(
        self, place: Place, cli: Cli, moto: Moto, reports: Bucket
    ) -> None:
        """Bucket, prefix, endpoint: exit code 2, the setting and the remedy, and no secret."""
        dead = f"http://127.0.0.1:{free_port()}"
        for address, told in (
            (self.address(moto, "no-such-bucket/reports/"), "There is no bucket called no-such-bucket"),
            (self.address(moto, f"{reports.name}/Reports/"), "begins with 'Reports/'"),
            (self.address(moto, f"{reports.name}/reports/", endpoint=dead), "cannot be reached"),
        ):
            said = cli("sync", address)
            assert said.code == 2, said
            assert told in said.err
            assert SECRET_KEY not in said.out + said.err
        assert not (place.home / "catchment.db").exists()

    def test_that_was_emptied_since_is_held_by_the_guard(
        self, place: Place, cli: Cli, moto: Moto, reports: Bucket
    ) -> None:
        """Acceptance 9: the same command as before shows count and sample; nothing is taken for a slip."""
        place.house.credentials = {"access_key_id": ACCESS_KEY, "secret_access_key": SECRET_KEY}
        address = self.address(moto, f"{reports.name}/reports/")
        assert cli("sync", address).code == 0
        reports.delete(*(f"reports/{number:03}.txt" for number in range(30)))
        held = cli("sync", address)
        assert held.code == 1, held
        assert "Held: 30 of 30 documents" in held.out
        assert "reports/000.txt" in held.out
        allowed = cli("sync", address, "--allow-mass-delete", "--json")
        assert (allowed.code, allowed.record["counters"]["deleted"]) == (0, 30)


class TestATable:
    def address(self, papers: psycopg.Connection[Any], user: str, table: str = "papers") -> str:
        info = papers.info
        return f"postgresql://{user}@127.0.0.1:{info.port}/{info.dbname}?table={table}"

    def test_with_a_slip_in_its_address_is_refused_and_nothing_is_made(
        self, place: Place, cli: Cli, papers: psycopg.Connection[Any]
    ) -> None:
        """Table, password, no password at all: exit code 2, the sentence, and no secret."""
        for address, told in (
            (self.address(papers, f"clerk:{PASSWORD}", "pappers"), "public.pappers"),
            (self.address(papers, f"clerk:{PASSWORD}-not"), "password authentication failed"),
            (self.address(papers, "clerk"), "no password supplied"),
        ):
            said = cli("sync", address)
            assert said.code == 2, said
            assert told in said.err
            assert PASSWORD not in said.out + said.err
        assert not (place.home / "catchment.db").exists()

    def test_keeps_its_password_when_an_address_has_none(
        self, place: Place, cli: Cli, papers: psycopg.Connection[Any]
    ) -> None:
        """It is written once; the address without it means the same connector, which still has it."""
        place.house.credentials = {"username": "clerk", "password": PASSWORD}
        assert cli("sync", self.address(papers, f"clerk:{PASSWORD}")).code == 0
        said = cli("sync", self.address(papers, "clerk"), "--json")
        assert (said.code, said.record["counters"]["skipped"]) == (0, 3), said
        kept = [block["data"] for block in place.wire.blocks.values() if "username" in block["data"]]
        assert [block["password"] for block in kept] == [PASSWORD]

    def test_that_was_dropped_since_is_told_by_the_run(
        self, place: Place, cli: Cli, papers: psycopg.Connection[Any]
    ) -> None:
        """With a new password in the address, too: nothing is removed, and the run says what is missing."""
        place.house.credentials = {"username": "clerk", "password": PASSWORD}
        address = self.address(papers, f"clerk:{PASSWORD}")
        assert cli("sync", address).code == 0
        papers.execute("ALTER TABLE papers RENAME TO away")
        said = cli("sync", address)
        assert said.code == 1, said
        assert "public.papers" in said.out + said.err
        assert len(cli("documents", "public.papers", "--json").records) == 3
