"""The rows, with stand-ins for the product: figures only for runs that lose nothing."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks import catchment_adapter, flow_rows, report, rows
from benchmarks.bench import Bench, Sizes
from benchmarks.measure import RunFailed, measure, python_job
from benchmarks.tools import NAIVE, PLAIN, Tool

TINY = Sizes(base=30, middle=40, large=60, office=1, peers=20)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path, rounds=1, sizes=TINY)


def stand_in(monkeypatch: pytest.MonkeyPatch, tool: Tool) -> None:
    """Let the hand-written script, or something like it, play the product."""
    monkeypatch.setattr(rows, "PLAIN", replace(tool, name=PLAIN.name))


def forgetful(source: Path, index: Path) -> list[str]:
    """A sync that is done at once because it reads nothing."""
    return python_job("benchmarks.naive", index, index / "naive.db")


class TestRun:
    @pytest.mark.parametrize("name", ["w1", "unchanged", "changed", "memory", "growth"])
    def test_a_row_compares_the_product_with_its_measure(
        self, bench: Bench, monkeypatch: pytest.MonkeyPatch, name: str
    ) -> None:
        """Every row of the product ends with a ratio."""
        stand_in(monkeypatch, NAIVE)
        ours = [result for result in rows.run(name, bench) if result.goal is not None]
        assert [result.goal for result in ours] == [rows.GOALS[name]]
        assert not any(result.failed for result in ours)
        assert name == "memory" or all(result.ratio for result in ours)

    @pytest.mark.parametrize("name", ["w1", "unchanged", "changed", "growth"])
    def test_a_product_that_loses_documents_has_no_time(
        self, bench: Bench, monkeypatch: pytest.MonkeyPatch, name: str
    ) -> None:
        """However quick it was."""
        stand_in(monkeypatch, replace(NAIVE, command=forgetful))
        last = rows.run(name, bench)[-1]
        assert last.failed
        assert last.ratio is None
        assert "30 missing" in last.remarks

    def test_a_product_that_crashes_has_no_time(self, bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
        """The row says how it ended."""
        stand_in(monkeypatch, replace(NAIVE, command=lambda _source, _index: python_job("benchmarks.naive")))
        last = rows.run("w1", bench)[-1]
        assert last.failed
        assert "ended with 2" in last.remarks

    def test_nothing_is_left_behind_but_corpora(self, bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
        """Indexes of measured runs go with their run."""
        stand_in(monkeypatch, NAIVE)
        rows.run("changed", bench)
        assert [path.name.split("-")[0] for path in bench.cache.iterdir()] == ["w1"]


class TestFlow:
    @pytest.fixture(autouse=True)
    def without_a_stack(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """The test plays the worker: what it starts is the flow."""

        @contextmanager
        def stack(bench: Bench) -> Iterator[Path]:
            with bench.folder() as home:
                yield home

        monkeypatch.setattr(flow_rows, "_stack", stack)
        monkeypatch.setattr(catchment_adapter, "worker_of", lambda _: os.getpid())

    def holding(self, megabytes: int, monkeypatch: pytest.MonkeyPatch) -> None:
        """Let the flow sync as the script does, in a process that then holds so much for a while."""

        def command(source: Path, index: Path) -> list[str]:
            sync = NAIVE.command(source, index)
            hold = (
                "import subprocess, time; "
                f"subprocess.run({sync!r}, check=True); x = b'1' * {megabytes}_000_000; time.sleep(1)"
            )
            return [sys.executable, "-c", hold]

        monkeypatch.setattr(flow_rows, "COMMAND", replace(NAIVE, name="flow", command=command))

    def test_a_flow_is_told_by_its_growth_and_by_what_it_may_hold(
        self, bench: Bench, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """What the test itself holds, the worker's part, is not in it."""
        self.holding(250, monkeypatch)
        growth, peak = rows.run("memory-flow", bench)
        assert (growth.must, growth.goal) == (1.25, 1.1)
        assert growth.ratio == pytest.approx(1.0, abs=0.05)
        assert (peak.must, peak.goal) == (1.0, pytest.approx(2 / 3))
        assert peak.ratio == pytest.approx(260 / 300, abs=0.05)

    def test_a_flow_that_holds_too_much_is_a_defect(
        self, bench: Bench, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """By what it may hold, although it does not grow."""
        self.holding(350, monkeypatch)
        assert [result.holds for result in rows.run("memory-flow", bench)] == [True, False]

    def test_a_flow_that_loses_documents_has_no_figure(
        self, bench: Bench, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """However little it held."""
        monkeypatch.setattr(flow_rows, "COMMAND", replace(NAIVE, command=forgetful))
        (only,) = rows.run("memory-flow", bench)
        assert only.failed
        assert "30 missing" in only.remarks


class TestMeasure:
    def test_processor_time_and_output_of_the_job_are_taken(self) -> None:
        """The last line of JSON is the job's answer."""
        work = "import json; sum(range(3_000_000)); print('noise'); print(json.dumps({'done': 1}))"
        run = measure([sys.executable, "-c", work])
        assert run.output == {"done": 1}
        assert run.cpu_seconds > 0

    def test_a_job_that_fails_raises_with_its_last_words(self) -> None:
        """No figure comes out of a failed job."""
        with pytest.raises(RunFailed, match="no such luck"):
            measure([sys.executable, "-c", "raise SystemExit('no such luck')"])

    def test_memory_counts_the_descendants(self) -> None:
        """A child's 200 MB are the parser's, not nobody's."""
        child = "x = b'1' * 200_000_000; import time; time.sleep(1)"
        parent = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}])"
        assert measure([sys.executable, "-c", parent], watch_memory=True).peak_bytes > 200_000_000


class TestReport:
    CIRCUMSTANCES = report.Circumstances(machine="2 cores", rounds=3, quick=False, load=0.1)

    def test_a_goal_missed_and_a_failed_run_stand_out(self) -> None:
        """A table that is skimmed still tells."""
        results = [
            report.Result("w1", "quick", ratio=0.5, goal=0.8),
            report.Result("w2", "slow", ratio=0.9, goal=0.8),
            report.Result("w3", "lossy", failed=True),
            report.Result("w4", "for information", ratio=2.0),
        ]
        table = report.markdown(results, **self.CIRCUMSTANCES).splitlines()[2:6]
        assert [("| goal |" in line, "**no**" in line) for line in table] == [
            (True, False),
            (False, True),
            (False, True),
            (False, False),
        ]
        assert ["**no**" in line for line in table] == [False, True, True, False]
        figures = json.loads(report.as_json(results, **self.CIRCUMSTANCES))
        assert [result["holds"] for result in figures["results"]] == [True, False, False, None]

    def test_a_busy_machine_is_named(self) -> None:
        """Figures taken beside other work say so."""
        busy = report.Circumstances(**{**self.CIRCUMSTANCES, "load": 3.0})
        assert "Load 3.0" in report.markdown([], **busy)
        assert "Load" not in report.markdown([], **self.CIRCUMSTANCES)
