"""Syncs as people run them: through a flow run, with what Prefect, the store and the source say compared."""

from __future__ import annotations

import zipfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from catchment.core.errors import NotFound
from catchment.services import connectors
from catchment.services.blocks import cursor_block
from catchment.services.orchestrator import parameter_schema
from tests.support.journey import Journey, Place, counts, in_prefect

pytestmark = pytest.mark.prefect


def artifacts_of(journey: Journey, flow_run_id: str | None) -> list[dict[str, Any]]:
    """Return every version of every artifact that a flow run made."""
    found = journey.prefect.find("/artifacts/filter", artifacts={"flow_run_id": {"any_": [flow_run_id]}})
    return list(found)


def task_runs_of(journey: Journey, flow_run_id: str | None) -> list[dict[str, Any]]:
    """Return the task runs of a flow run."""
    found = journey.prefect.find("/task_runs/filter", flow_runs={"id": {"any_": [flow_run_id]}})
    return list(found)


class TestChanges:
    def test_each_change_of_the_source_is_followed_and_nothing_else_is_touched(self, place: Place) -> None:
        """First sync, no change, edit, delete, rename: counters tell it, and the index equals the source."""
        place.fill(60)
        assert counts(place.sync()) == {"collected": 60, "fetched": 60, "parsed": 60, "indexed": 60}
        place.check()

        assert counts(place.sync()) == {"collected": 60, "skipped": 60}

        place.write("f000/f00003.txt", "edited")
        edited = {"collected": 60, "fetched": 1, "parsed": 1, "indexed": 1, "skipped": 59}
        assert counts(place.sync()) == edited
        place.check()

        place.delete("f001/f00055.txt")
        assert counts(place.sync()) == {"collected": 59, "skipped": 59, "deleted": 1}
        place.check()

        before = place.ids()["f000/f00007.txt"]
        place.rename("f000/f00007.txt", "moved/elsewhere.txt")
        assert counts(place.sync()) == {"collected": 59, "skipped": 59}
        assert place.ids()["moved/elsewhere.txt"] == before
        place.check()

    def test_full_redoes_everything_and_doubles_nothing(self, place: Place) -> None:
        """A full run reads and indexes every file again, under the same document ids."""
        place.fill(40)
        place.sync()
        before = place.ids()
        full = place.sync(mode="full")
        assert counts(full) == {"collected": 40, "fetched": 40, "parsed": 40, "indexed": 40}
        assert (full.strategy, full.reason) == ("listing", "full")
        assert place.ids() == before
        place.check()

    def test_a_named_entry_is_synced_alone(self, place: Place) -> None:
        """Incremental with a filter takes what is named: an edit, something new, and something gone."""
        place.fill(20)
        place.sync()
        known = dict(place.tokens)
        place.write("f000/f00001.txt")
        place.write("new.txt")
        place.write("f000/f00002.txt", "edited, but not named")
        place.delete("f000/f00003.txt")
        run = place.sync(mode="incremental", names=["f000/f00001.txt", "new.txt", "f000/f00003.txt"])
        assert (run.strategy, run.reason) == ("targeted", "filter")
        assert counts(run)["indexed"] == 2
        assert counts(run)["gone"] == 1
        assert counts(run)["deleted"] == 1
        assert place.found(known["f000/f00002.txt"]) == ["f000/f00002.txt"], "what was not named was synced"
        place.sync()
        place.check()

    def test_a_dry_run_says_what_a_run_would_do_and_does_nothing(self, place: Place) -> None:
        """Its counters equal those of the run that follows; index, ledger and cursor stay as they were."""
        place.fill(30)
        place.sync()
        place.write("f000/f00001.txt")
        place.write("new.txt")
        place.delete("f000/f00002.txt")
        before, revision = place.dump(), place.connector.cursor_revision
        dry = place.sync(dry_run=True)
        assert place.dump() == before
        assert place.connector.cursor_revision == revision
        assert dry.details["would"]["delete"] == ["f000/f00002.txt"]
        assert sorted(dry.details["would"]["fetch"]) == ["f000/f00001.txt", "new.txt"]
        assert counts(place.sync()) == counts(dry)

    def test_a_broken_file_costs_itself_and_is_named(self, journey: Journey, place: Place) -> None:
        """The run succeeds, the file stands in its report with stage and reason, and the rest is found."""
        place.fill(10)
        (place.folder / "broken.pdf").write_bytes(b"%PDF-1.7\nthis is no document\n")
        with zipfile.ZipFile(place.folder / "whole.zip", "w") as package:
            package.writestr("word/document.xml", "<w:document/>" * 100)
        whole = (place.folder / "whole.zip").read_bytes()
        (place.folder / "whole.zip").unlink()
        (place.folder / "broken.docx").write_bytes(whole[: len(whole) // 2])
        run = place.sync()
        assert (run.collected, run.indexed, run.failed) == (12, 10, 2)
        told = {error["key"]: error["stage"] for error in run.details["errors"]}
        assert told == {"broken.pdf": "parse", "broken.docx": "parse"}
        place.check()
        states = connectors.counts(journey.context, place.connector)
        assert states == {"indexed": run.indexed, "failed": run.failed}, (
            "the row counts other than the ledger"
        )

    def test_a_source_that_is_gone_fails_the_run_and_keeps_the_documents(
        self, place: Place, tmp_path: Path
    ) -> None:
        """A folder that vanished is an error of its scope, never an empty folder."""
        place.fill(30)
        place.sync()
        place.folder.rename(tmp_path / "aside")
        run = place.sync(expect="FAILED")
        assert run.deleted == 0
        assert place.connector.status == "ERROR"
        place.check()
        (tmp_path / "aside").rename(place.folder)
        assert place.sync().skipped == 30
        assert place.connector.status == "ACTIVE"


class TestInPrefect:
    def test_the_cursor_is_a_block_that_prefect_itself_can_load(self, journey: Journey, place: Place) -> None:
        """`SyncCursor.load` gives what the run saved: its id, the store's, and the row's revision."""
        place.fill(5)
        run = place.sync()
        loaded = in_prefect(
            journey,
            "from catchment.blocks import SyncCursor\n"
            f"block = SyncCursor.load({cursor_block(place.connector_id)!r})\n"
            "print(block.model_dump_json())",
        )
        saved = connectors.orchestrator(journey.context).cursors.load(place.connector_id)
        assert saved is not None
        assert loaded["connector_id"] == place.connector_id
        assert loaded["run_id"] == run.id
        assert loaded["revision"] == saved.current.revision == place.connector.cursor_revision
        assert loaded["cursor"] == saved.current.text
        assert loaded["store_id"] == saved.store_id

    def test_a_run_shows_one_bar_one_table_and_one_report(self, journey: Journey, place: Place) -> None:
        """However long it takes: artifacts are changed in place, and the report comes once, at the end."""
        place.fill(3000, words="many words " * 40)
        run = place.sync()
        # The row is closed before its report is written: what ended is believed before what is shown of it.
        journey.flow_run_ends(run)
        shown = artifacts_of(journey, run.flow_run_id)
        assert Counter(artifact["type"] for artifact in shown) == {"progress": 1, "table": 1, "markdown": 1}
        by_type = {artifact["type"]: artifact for artifact in shown}
        assert by_type["progress"]["data"] == 100
        assert "collected 3000" in by_type["progress"]["description"]
        assert "indexed 3000" in by_type["progress"]["description"]
        assert '"items": 3000' in by_type["table"]["data"]
        assert "| indexed | 3000 |" in by_type["markdown"]["data"]

    def test_a_run_is_three_tasks_and_a_dry_run_one(self, journey: Journey, place: Place) -> None:
        """Never a task per batch or per document: they cost Prefect's database 19 KB each."""
        place.fill(200)
        run, dry = place.sync(), place.sync(dry_run=True)
        journey.flow_run_ends(run)
        journey.flow_run_ends(dry)
        names = sorted(task["name"] for task in task_runs_of(journey, run.flow_run_id))
        assert names == ["collect", "index", "parse"]
        assert [task["name"] for task in task_runs_of(journey, dry.flow_run_id)] == ["collect"]

    def test_prefect_holds_nothing_of_any_document(self, journey: Journey, place: Place) -> None:
        """No text of a document, sound or broken, is in Prefect's database or in any log."""
        canary = f"canary{uuid4().hex}"
        place.write("sound.txt", canary)
        (place.folder / "table.csv").write_text(f"name,word\na,{canary}\n")
        (place.folder / "page.html").write_text(f"<html><title>{canary}</title><p>{canary}</p>")
        (place.folder / "invalid.json").write_text('{"word": "' + canary + '", ')
        (place.folder / "broken.pdf").write_text(f"%PDF-1.7\n({canary}) Tj\n")
        with zipfile.ZipFile(place.folder / "broken.docx", "w") as package:
            package.writestr("word/document.xml", f"<w:document><w:t>{canary}")
            package.writestr("[Content_Types].xml", "<Types/>")
        run = place.sync()
        assert place.found(canary), "the canary is not even in the index"
        flow_run = journey.flow_run_ends(run)
        assert flow_run["state_type"] == "COMPLETED"
        kept = sorted((journey.home / "prefect").rglob("*"))
        assert any(path.name == "prefect.db" for path in kept)
        held = [path for path in kept if path.is_file() and canary.encode() in path.read_bytes()]
        assert held == []
        logs = [path for path in (journey.home / "logs").iterdir() if canary.encode() in path.read_bytes()]
        assert logs == []

    def test_the_form_of_every_flow_is_the_one_that_deployments_carry(self, journey: Journey) -> None:
        """Prefect derives the same schema from each named flow as the deployment has without importing it."""
        schemas = in_prefect(
            journey,
            "import json, importlib\n"
            "from prefect.utilities.callables import parameter_schema\n"
            "from catchment.kit import registry\n"
            "points = {registry.flow_entrypoint(slug) for slug in registry.providers()}\n"
            "points.add('flows.connectors.sync_connector')\n"
            "def schema(point):\n"
            "    module, _, name = point.rpartition('.')\n"
            "    flow = getattr(importlib.import_module(module), name)\n"
            "    return parameter_schema(flow).model_dump_for_openapi()\n"
            "print(json.dumps({point: schema(point) for point in points}))",
        )
        assert "flows.connectors.sync_folder" in schemas
        assert schemas == dict.fromkeys(schemas, parameter_schema())

    def test_prefect_refuses_a_mode_that_does_not_exist(self, journey: Journey, place: Place) -> None:
        """The schema is enforced when a run is asked for, not when its process has started."""
        from catchment.services.prefect_client import PrefectRefused

        body = {"parameters": {"mode": "sideways"}, "state": {"type": "SCHEDULED"}}
        with pytest.raises(PrefectRefused):
            journey.prefect.request(
                "POST", f"/deployments/{place.connector.deployment_id}/create_flow_run", body
            )


class TestGuard:
    def test_a_mass_deletion_is_held_until_it_is_allowed(self, place: Place) -> None:
        """Two thirds of the files vanish: nothing is removed, the run says so, and allowing it does it."""
        place.fill(60)
        place.sync()
        kept = dict(place.tokens)
        for key in list(place.tokens)[:40]:
            place.delete(key)
        held = place.sync(expect="FAILED")
        assert held.error_code == "deletion_guard"
        assert place.ids().keys() == kept.keys()
        allowed = place.sync(allow_mass_delete=True)
        assert allowed.deleted == 40
        place.check()


def test_two_connectors_to_one_folder_do_not_mix(make_place: Callable[..., Place], journey: Journey) -> None:
    """Each connector has its own documents, cursor and runs, and an unknown run is said to be unknown."""
    one, two = make_place("one"), make_place("two")
    one.fill(5)
    two.fill(7)
    one.sync()
    two.sync()
    one.check()
    two.check()
    with pytest.raises(NotFound):
        journey.row("f" * 32)
