"""Two connectors to sources that share ids, in one collection."""

from __future__ import annotations

from pathlib import Path

from catchment.services.context import Context
from catchment.services.removal import take_out
from tests.support.plain import PlainHouse


def never() -> object:
    raise AssertionError("Prefect is not needed here")


def test_one_id_of_two_connectors_is_two_documents_and_one_can_go(tmp_path: Path) -> None:
    """Each owns its document; removing one connector leaves the other's where it was (17)."""
    for name in ("left", "right"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "same.txt").write_text(f"the gauge on the {name} bank")
    house = PlainHouse(tmp_path / "home")
    rows = {
        name: house.add("folder", {"path": str(tmp_path / name)}, name=name) for name in ("left", "right")
    }
    for name in rows:
        assert house.sync(name).indexed == 1
    assert {hit.snippet for hit in house.search("gauge")} == {
        "the gauge on the left bank",
        "the gauge on the right bank",
    }

    assert take_out(Context(house.engine, connect=never), rows["left"].pk) == 1  # type: ignore[arg-type]

    assert [hit.snippet for hit in house.search("gauge")] == ["the gauge on the right bank"]
    assert house.sync("right").skipped == 1
