"""The rows about the HTTP API, with the bare endpoint as stand-in for the product."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks import bare_api, figures, push_rows, rows
from benchmarks.api_tools import BARE, PRODUCT, Api, ApiTool
from benchmarks.bench import Bench, Sizes
from benchmarks.clients import CLIENTS
from benchmarks.figures import percentile
from benchmarks.measure import RunFailed

TINY = Sizes(base=80)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path, rounds=1, sizes=TINY)


def stand_in(monkeypatch: pytest.MonkeyPatch, tool: ApiTool) -> None:
    """Let the bare endpoint, or something like it, play the product."""
    monkeypatch.setattr(push_rows, "PRODUCT", replace(tool, name=PRODUCT.name))


def changed_afterwards(statement: str) -> ApiTool:
    """Answer as the bare endpoint does, and change the documents before they are looked for."""

    @contextmanager
    def serve(folder: Path) -> Iterator[tuple[Api, str]]:
        with BARE.serve(folder) as served:
            yield served
        with closing(sqlite3.connect(folder / "bare.db")) as db, db:
            db.execute(statement)

    return replace(BARE, serve=serve)


class TestPush:
    def test_compares_documents_a_second_and_how_long_clients_wait(
        self, bench: Bench, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Seconds and the 95th percentile are promised; the others inform."""
        stand_in(monkeypatch, BARE)
        results = rows.run("push", bench)
        assert not any(result.failed for result in results), results
        assert all(result.ratio for result in results)
        assert [(result.must, result.goal) for result in results] == [
            (figures.MUSTS["push"], figures.GOALS["push"]),
            (None, None),
            (figures.MUSTS["push-p95"], figures.GOALS["push-p95"]),
            (None, None),
        ]
        assert results[0].what.startswith("64 texts")

    @pytest.mark.parametrize(
        ("statement", "fault"),
        [
            ("DELETE FROM chunks WHERE document = 1", "1 missing"),
            ("INSERT INTO chunks SELECT * FROM chunks WHERE document = 1", "1 double"),
        ],
    )
    def test_gives_no_time_to_a_product_that_loses_or_doubles_a_document(
        self, bench: Bench, monkeypatch: pytest.MonkeyPatch, statement: str, fault: str
    ) -> None:
        """However quick it was."""
        stand_in(monkeypatch, changed_afterwards(statement))
        last = rows.run("push", bench)[-1]
        assert last.failed
        assert fault in last.remarks

    def test_leaves_nothing_behind_but_the_corpus(
        self, bench: Bench, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Servers and their stores go with their run."""
        stand_in(monkeypatch, BARE)
        rows.run("push", bench)
        assert [path.name.split("-")[0] for path in bench.cache.iterdir()] == ["w1"]


class TestClients:
    @pytest.fixture
    def served(self, tmp_path: Path) -> Iterator[tuple[Api, str]]:
        with BARE.serve(tmp_path) as served:
            yield served

    def test_read_for_as_long_as_they_are_told(self, served: tuple[Api, str]) -> None:
        """Each of them has one answer at least, and the server's processor time is taken."""
        api, connector = served
        run = api.clients("read", f"/api/v1/connectors/{connector}/sync/{bare_api.JOB}", 0.5)
        assert run.seconds >= 0.5
        assert len(run.output["milliseconds"]) >= CLIENTS
        assert run.cpu_seconds > 0

    def test_that_are_not_answered_well_have_no_figures(self, served: tuple[Api, str]) -> None:
        """A stranger is refused, and a job that is not there is no quick answer."""
        api, connector = served
        stranger = replace(api, token="nobody")
        for who, path in ((stranger, bare_api.JOB), (api, "job-2")):
            with pytest.raises(RunFailed, match=r"http/1.1 40[14]"):
                who.clients("read", f"/api/v1/connectors/{connector}/sync/{path}", 0.1)

    def test_that_push_what_is_known_have_no_figures(self, served: tuple[Api, str], bench: Bench) -> None:
        """A document that is left out costs less than one that is taken."""
        api, connector = served
        corpus = bench.w1(20)
        api.clients("push", "/api/sync/documents", connector, corpus.root)
        with pytest.raises(RunFailed, match="0 of 16 documents were taken"):
            api.clients("push", "/api/sync/documents", connector, corpus.root)


def test_a_percentile_is_a_value_that_was_measured() -> None:
    """The one that so many of a hundred do not exceed."""
    values = [float(value) for value in range(1, 201)]
    assert [percentile(values, percent) for percent in (50, 95, 99, 100)] == [100, 190, 198, 200]
    assert percentile([7.0], 50) == percentile([7.0], 99) == 7.0
