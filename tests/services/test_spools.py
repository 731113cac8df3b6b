"""What killed runs leave of large bodies goes, and what living ones need stays."""

from __future__ import annotations

from pathlib import Path

import pytest

from catchment.services import spools
from tests.support.desk import Desk


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "source"
    made.mkdir()
    (made / "note.md").write_text("of the source")
    return made


def test_folders_of_runs_that_have_ended_are_erased(desk: Desk, folder: Path) -> None:
    """One of a run that lives is not, nor is anything that no run has made."""
    desk.add("folder", {"path": str(folder)})
    living = desk.begin()
    spool = desk.context.blobs.root.parent / "spool"
    large = living.spool / "body"
    large.write_text("large")
    dead = spool / "00000000000000000000000000-abc"
    dead.mkdir(parents=True)
    (dead / "body").write_text("left behind")
    strange = spool / "strange.txt"
    strange.write_text("not ours")
    assert spools.clear(desk.context) == 1
    assert not dead.exists()
    assert large.read_text() == "large"
    assert strange.exists()
    desk.work(living)
    left = spool / f"{living.row.id}-killed"
    left.mkdir()
    assert spools.clear(desk.context) == 1
    assert spools.clear(desk.context) == 0
