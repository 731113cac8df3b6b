"""The rows about servers, with the scripts as stand-ins for the product."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from benchmarks import figures, postgres_rows, rows, s3_rows, store_rows
from benchmarks.bench import Bench, Sizes
from benchmarks.measure import python_job
from benchmarks.servers import postgres_is_missing, s3_is_missing
from benchmarks.tools import PLAIN, Tool

TINY = Sizes(base=30, middle=40, large=60, office=1, peers=20, rows=80)
MODULES = {
    "s3": s3_rows,
    "s3-unchanged": s3_rows,
    "memory-s3": s3_rows,
    "postgresql": postgres_rows,
    "memory-postgresql": postgres_rows,
    "store": store_rows,
    "store-filled": store_rows,
}
pytestmark = [
    pytest.mark.skipif(s3_is_missing() is not None, reason=str(s3_is_missing())),
    pytest.mark.skipif(postgres_is_missing() is not None, reason=str(postgres_is_missing())),
]


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path, rounds=1, sizes=TINY)


def stand_in(
    monkeypatch: pytest.MonkeyPatch, name: str, change: Callable[[Tool], Tool] = lambda tool: tool
) -> None:
    """Let the script of a row, or something like it, play the product."""
    module: Any = MODULES[name]

    def product(server: Any, **_: str) -> Tool:
        return replace(change(module.SCRIPT(server)), name=PLAIN.name)

    monkeypatch.setattr(module, "PRODUCT", product)


def forgetful(tool: Tool) -> Tool:
    """Make a sync that is done at once because it reads nothing, and whose index is empty."""

    def command(_: Path, index: Path) -> list[str]:
        return python_job("benchmarks.naive", index, index / "naive.db")

    return replace(tool, command=command)


class TestRun:
    @pytest.mark.parametrize(
        "name", ["s3", "s3-unchanged", "memory-s3", "postgresql", "memory-postgresql", "store"]
    )
    def test_a_row_compares_the_product_with_its_measure(
        self, bench: Bench, monkeypatch: pytest.MonkeyPatch, name: str
    ) -> None:
        """Every row of the product ends with a ratio, its must and its goal."""
        stand_in(monkeypatch, name)
        results = rows.run(name, bench)
        ours = [result for result in results if result.goal is not None]
        assert not any(result.failed for result in results), results
        assert (ours[0].goal, ours[0].must) == (figures.GOALS[name], figures.MUSTS.get(name))
        assert name.startswith("memory") or all(result.ratio for result in ours)

    @pytest.mark.parametrize(
        ("name", "lost"), [("s3", 30), ("s3-unchanged", 30), ("memory-s3", 30), ("postgresql", 80)]
    )
    def test_a_product_that_loses_documents_has_no_time(
        self, bench: Bench, monkeypatch: pytest.MonkeyPatch, name: str, lost: int
    ) -> None:
        """However quick it was."""
        stand_in(monkeypatch, name, forgetful)
        last = rows.run(name, bench)[-1]
        assert last.failed
        assert f"{lost} missing" in last.remarks

    def test_a_filled_store_is_filled_by_another_connector(
        self, bench: Bench, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The script cannot load twice, so the second load tells that the first was there."""
        stand_in(monkeypatch, "store-filled")
        last = rows.run("store-filled", bench)[-1]
        assert last.failed
        assert 'relation "chunks" already exists' in last.remarks

    def test_a_request_too_many_fails_the_row(self, bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
        """A product that forgets between runs reads every object again, and its bodies are counted."""

        def without_memory(tool: Tool) -> Tool:
            def command(source: Path, index: Path) -> list[str]:
                again = tool.command(source, index)
                script = (
                    "import subprocess, sys, os; os.path.exists(sys.argv[-1]) and os.remove(sys.argv[-1]); "
                )
                return [again[0], "-c", script + "sys.exit(subprocess.call(sys.argv[1:]))", *again]

            return replace(tool, command=command)

        stand_in(monkeypatch, "s3-unchanged", without_memory)
        results = [result for result in rows.run("s3-unchanged", bench) if result.must]
        assert [(result.measured, result.holds) for result in results] == [("30 GET + 1 LIST", False)]

    def test_bodies_read_though_nothing_changed_fail_the_row(
        self, bench: Bench, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Reading them all the same is a defect, however quick it was."""

        def talkative(tool: Tool) -> Tool:
            def command(source: Path, index: Path) -> list[str]:
                script = "import subprocess, sys; code = subprocess.call(sys.argv[1:]); "
                script += """print('{"fetched": 3}'); sys.exit(code)"""
                again = tool.command(source, index)
                return [again[0], "-c", script, *again]

            return replace(tool, command=command)

        stand_in(monkeypatch, "postgresql", talkative)
        last = rows.run("postgresql", bench)[-1]
        assert last.failed
        assert "3 bodies were read" in last.remarks

    def test_nothing_is_left_behind_but_corpora(self, bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
        """Servers, databases and indexes go with their row."""
        for name in ("s3-unchanged", "store"):
            stand_in(monkeypatch, name)
            rows.run(name, bench)
        assert {path.name.split("-")[0] for path in bench.cache.iterdir()} == {"w1"}
