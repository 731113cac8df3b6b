"""Who may see a document, asked again; and the end of a connector that is pushed to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from catchment.core.errors import SourceDown
from catchment.core.items import Item
from catchment.kit import registry
from catchment.kit.connector import AccessEntry, AccessList, Acl
from catchment.services import connectors, permissions, removal
from catchment.store.index import Viewer
from tests.support.desk import Desk
from tests.support.scripted import SLUG, World, provider
from tests.support.vault import counts


class Guarded:
    """A scripted source with access lists that a test writes."""

    def __init__(self) -> None:
        self.world = World()
        self.lists: dict[str, AccessList] = {}
        self.error: Exception | None = None
        self.asked: list[int] = []


@pytest.fixture
def guarded(monkeypatch: pytest.MonkeyPatch) -> Iterator[Guarded]:
    source = Guarded()
    made = provider(source.world)

    def lists(_self: object, items: Sequence[Item]) -> dict[str, AccessList]:
        source.asked.append(len(items))
        if source.error is not None:
            raise source.error
        return {item.key: source.lists[item.key] for item in items if item.key in source.lists}

    made.acl = Acl.SOURCE
    made.permissions = lists  # type: ignore[method-assign, assignment]
    real = registry.provider
    monkeypatch.setattr(registry, "provider", lambda slug: made if slug == SLUG else real(slug))
    yield source


def seen_by(desk: Desk, name: str) -> set[str]:
    return {hit.key for hit in desk.search("text", viewer=Viewer((("user", name),)), limit=100)}


def test_a_source_without_access_lists_is_done_at_once(desk: Desk, tmp_path: Path) -> None:
    """All counters are zero, and the connector stays as it is."""
    docs = desk.add("folder", {"path": str(tmp_path)})
    row = permissions.refresh(desk.context, docs)
    assert (row.kind, row.state, counts(row)) == ("permissions", "SUCCEEDED", {})
    assert permissions.refresh(desk.context, desk.pushed_to()).state == "SUCCEEDED"


def test_lists_are_read_without_any_body(desk: Desk, guarded: Guarded) -> None:
    """Whom the source names sees it, nobody else; a document it is silent about is hidden."""
    guarded.world.fill(450)
    docs = desk.add(SLUG, {})
    desk.sync()
    fetched = len(guarded.world.fetched)
    assert seen_by(desk, "ann") == set()
    guarded.lists = {
        "doc000": AccessList((AccessEntry("user", "ann"),)),
        "doc001": AccessList((AccessEntry("user", "bob"),)),
        "doc449": AccessList(public=True),
    }
    row = permissions.refresh(desk.context, docs)
    assert (row.state, row.waiting) == ("QUEUED", True)
    assert permissions.refresh(desk.context, docs).id == row.id
    run = desk.work_off(row.id)
    assert run.state == "SUCCEEDED" and counts(run) == {"collected": 450, "skipped": 450}
    assert guarded.asked == [200, 200, 50] and len(guarded.world.fetched) == fetched
    assert seen_by(desk, "ann") == {"doc000", "doc449"}
    assert seen_by(desk, "bob") == {"doc001", "doc449"}
    del guarded.lists["doc000"]
    desk.work_off(permissions.refresh(desk.context, docs).id)
    assert seen_by(desk, "ann") == {"doc449"}


def test_an_error_of_the_source_fails_the_run_and_shows_nothing_more(desk: Desk, guarded: Guarded) -> None:
    """What was hidden stays hidden, and the connector's status is its sync's business."""
    guarded.world.fill(3)
    docs = desk.add(SLUG, {})
    desk.sync()
    guarded.error = SourceDown("The lists are away.")
    run = desk.work_off(permissions.refresh(desk.context, docs).id)
    assert (run.state, run.error_code) == ("FAILED", "down")
    assert seen_by(desk, "ann") == set()
    assert desk.again(docs).status == "ACTIVE"


def test_a_connector_that_is_pushed_to_goes_without_prefect(desk: Desk) -> None:
    """Its documents go, what waits for it is cancelled, and files that were handed in are erased."""
    notes = desk.pushed_to()
    desk.push(notes, "a", {"external_id": "talk", "audio_url": "https://example.org/a.mp3"})
    desk.work_off(desk.upload(notes, b_txt="b").run.id)
    desk.upload(notes, c_txt="c")
    assert removal.remove(desk.context, desk.again(notes)) == 3
    assert connectors.all_connectors(desk.context) == []
    assert desk.shown() == set()
    assert {run.state for run in desk.runs_of(notes)} == {"SUCCEEDED", "CANCELLED"}
    from catchment.services import uploads

    assert uploads.clear(desk.context) == 2
    desk.check_index()
