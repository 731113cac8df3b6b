"""An older copy of the store is put back: the cursor, kept elsewhere, is newer than what it points into."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.journey import Journey, Place, counts

pytestmark = pytest.mark.prefect


def test_a_restored_store_costs_a_repeat_and_never_a_loss(
    journey: Journey, place: Place, tmp_path: Path
) -> None:
    """The next run lists everything with the reason cursor_ahead; nothing is missing, nothing double.

    Acceptance 28.
    """
    place.fill(60)
    place.sync()
    journey.copy_store(tmp_path / "backup.db")
    for key in sorted(place.tokens)[:5]:
        place.write(key, "edited")
    for key in sorted(place.tokens)[5:15]:
        place.delete(key)
    place.fill(10, prefix="new")
    place.sync()
    revision = place.connector.cursor_revision
    journey.down()
    journey.restore(tmp_path / "backup.db")
    journey.up()
    assert place.connector.cursor_revision < revision, "the copy is not older"
    run = place.sync()
    assert (run.strategy, run.reason) == ("listing", "cursor_ahead")
    assert counts(run) == {
        "collected": 60,
        "fetched": 15,
        "parsed": 15,
        "indexed": 15,
        "skipped": 45,
        "deleted": 10,
    }
    place.check()
    assert place.connector.cursor_revision > revision, "a revision was handed out twice"
    assert place.sync().reason == "no_change_feed"
    place.check()
