"""What the client does with the real application: over a connection, and awaited within the process."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from catchment.client import (
    AsyncClient,
    Client,
    Conflict,
    Forbidden,
    Invalid,
    JobReport,
    NewDocument,
    NotFound,
    Pushed,
    StillRunning,
    Unauthenticated,
)
from tests.client.conftest import House, awaiting, items


class TestConnectors:
    def test_live_from_their_making_to_their_end(self, client: Client) -> None:
        """Made in the default collection, shown, changed, paused, listed, removed."""
        made = client.connectors.create("fixture", name="Field notes", config=items("a.md"), schedule="daily")
        assert (made.type, made.status, made.enabled, made.schedule) == ("fixture", "active", True, "daily")
        assert made.collection == client.collections.list()[0].id
        assert client.connectors.get(made.id) == made
        assert client.connectors.get(made.id.removeprefix("conn_")).id == made.id

        changed = client.connectors.update(made.id, name="Notes", config={"latency_ms": 1}, schedule=None)
        assert (changed.name, changed.schedule) == ("Notes", None)
        assert changed.config["items"] == made.config["items"]
        assert client.connectors.pause(made.id).status == "paused"
        assert client.connectors.resume(made.id).enabled

        other = client.connectors.create("fixture", name="Other", config=items("b.md"))
        assert [one.id for one in client.connectors.list()] == [other.id, made.id]
        assert [one.id for one in client.connectors.list(limit=1)] == [other.id]
        assert client.connectors.list(type="fixture", status="paused") == []
        client.connectors.delete(made.id)
        with pytest.raises(NotFound):
            client.connectors.get(made.id)
        with pytest.raises(NotFound):
            client.connectors.delete(made.id)

    def test_are_made_once_for_a_key(self, client: Client) -> None:
        """The same call with the same key gives the same connector; another call with it is a conflict."""
        first, again = (
            client.connectors.create("fixture", config=items("a.md"), key="nightly") for _ in range(2)
        )
        assert first == again
        with pytest.raises(Conflict):
            client.connectors.create("fixture", config=items("b.md"), key="nightly")
        assert client.connectors.create("fixture", config=items("a.md")).id != first.id

    def test_are_found_by_id_and_by_name(self, client: Client) -> None:
        """In any spelling; of two that fit, none is taken."""
        one = client.connectors.create("fixture", name="Field Notes", config=items("a.md"))
        for text in (one.id, one.id.removeprefix("conn_"), "Field Notes", "field-notes"):
            assert client.connectors.find(text).id == one.id
        with pytest.raises(NotFound, match="nobody"):
            client.connectors.find("nobody")
        client.connectors.create("fixture", name="field notes", config=items("a.md"))
        assert client.connectors.find("Field Notes").id == one.id
        with pytest.raises(Conflict) as refused:
            client.connectors.find("FIELD NOTES")
        assert one.id in refused.value.remedy

    def test_say_which_field_is_wrong(self, client: Client) -> None:
        """The error of either face names the field, and never the value."""
        with pytest.raises(Invalid) as refused:
            client.connectors.create("nonsense")
        assert refused.value.field == "provider_slug"
        made = client.connectors.create("fixture", config=items("a.md"))
        with pytest.raises(Invalid) as refused:
            client.connectors.update(made.id, schedule="now and then")
        assert (refused.value.field, refused.value.status) == ("schedule", 400)
        assert refused.value.request_id
        with pytest.raises(Invalid) as refused:
            client.connectors.create_pushed("notes", name=" ")
        assert refused.value.code == "invalid"

    def test_can_be_tried_and_looked_into(self, client: Client) -> None:
        """A source that refuses is a result; what can be chosen has ids for the settings."""
        made = client.connectors.create("fixture", config=items("a/x.md", "a/y.md", "b.md"))
        assert client.connectors.test(made.id).success
        assert {one.name for one in client.connectors.browse(made.id)} == {"a", "b.md"}
        (folder,) = (one for one in client.connectors.browse(made.id) if one.has_children)
        assert len(client.connectors.browse(made.id, folder.id)) == 2
        refusing = client.connectors.create("fixture", config={**items("a.md"), "refuse": True})
        assert not client.connectors.test(refusing.id).success

    def test_of_others_do_not_exist_or_may_not_be_touched(self, house: House, client: Client) -> None:
        """Another tenant sees nothing, a viewer changes nothing, a bad token does nothing."""
        made = client.connectors.create("fixture", config=items("a.md"))
        with house.client("other_tenant") as other:
            assert other.connectors.list() == []
            with pytest.raises(NotFound):
                other.connectors.sync(made.id)
        with house.client("viewer") as viewer, pytest.raises(Forbidden):
            viewer.connectors.sync(made.id)
        with house.client("bad") as nobody, pytest.raises(Unauthenticated):
            nobody.connectors.list()


class TestJobs:
    def test_are_waited_for_with_progress(self, client: Client) -> None:
        """Each new report is told, the last one is returned, and a list knows the job."""
        made = client.connectors.create("fixture", config=items("a.md", "b.md"))
        job = client.connectors.sync(made.id)
        assert job.status == "queued"
        seen: list[JobReport] = []
        report = job.wait(progress=seen.append)
        assert (report.status, report.progress.indexed, report.kind, report.mode) == (
            "completed",
            2,
            "sync",
            "auto",
        )
        assert seen[-1] == report == job.report
        assert len(set(map(str, seen))) == len(seen)
        (listed,) = client.jobs.list(made.id)
        assert (listed.id, listed.status, listed.progress.indexed) == (job.id, "completed", 2)
        assert client.jobs.get(made.id, job.id).report == report
        with pytest.raises(Conflict, match="completed already"):
            job.cancel()

    def test_take_a_mode_and_names(self, client: Client) -> None:
        """What was asked for is what is done."""
        made = client.connectors.create("fixture", config=items("a.md", "b.md"))
        client.connectors.sync(made.id).wait()
        full = client.connectors.sync(made.id, mode="full").wait()
        assert (full.mode, full.progress.indexed) == ("full", 2)
        named = client.connectors.sync(made.id, mode="incremental", file_filter=["/a.md"]).wait()
        assert (named.mode, named.progress.collected) == ("incremental", 1)

    def test_that_failed_say_why(self, client: Client) -> None:
        """A failed item is named; a job that failed has its error; neither is an exception."""
        made = client.connectors.create("fixture", config=items("a.md"))
        report = client.connectors.sync(made.id, file_filter=["a.md", "gone.md"]).wait()
        assert report.status == "completed"
        assert [(one.path, one.reason) for one in report.errors] == [("gone.md", "not_found")]
        assert [one.path for one in client.jobs.list(made.id)[0].errors] == ["gone.md"]

    def test_are_given_up_after_a_while_and_cancelled(self, house: House, client: Client) -> None:
        """Who waits no longer gets the job's standing; a cancelled job ends as cancelled."""
        house.served.wire.has_worker = False
        made = client.connectors.create("fixture", config=items("a.md"))
        job = client.connectors.sync(made.id)
        with pytest.raises(StillRunning) as over:
            job.wait(timeout=0.3)
        assert over.value.report is not None
        assert over.value.report.status == "queued"
        (listed,) = client.jobs.list(made.id, status="running")
        assert (listed.id, listed.status) == (job.id, "queued")
        with pytest.raises(Conflict):
            client.connectors.sync(made.id)
        behind = client.connectors.sync(made.id, file_filter=["a.md"])
        with pytest.raises(Conflict, match="waits behind") as refused:
            behind.cancel()
        assert refused.value.details["jobId"] == job.id
        assert job.cancel().status == "cancelled"
        assert job.wait().status == "cancelled"
        assert client.jobs.cancel_current(made.id).id == behind.id


class TestPushes:
    def test_any_iterable_goes_in_batches(self, client: Client) -> None:
        """A generator of 120 documents takes three requests; a second push skips all of them."""
        notes = client.connectors.create_pushed("notes")
        seen: list[int] = []
        texts = (NewDocument(external_id=f"n{number}", text=f"note {number}") for number in range(120))
        done = client.documents.push(
            texts, connector=notes.id, progress=lambda pushed: seen.append(pushed.indexed)
        )
        assert (done.indexed, done.batches, done.errors) == (120, 3, [])
        assert seen == [50, 100, 120]
        again = client.documents.push(
            [{"external_id": f"n{number}", "text": "other"} for number in range(120)], connector=notes.id
        )
        assert (again.indexed, again.skipped) == (0, 120)
        assert client.connectors.get(notes.id).document_count == 120
        assert len(client.documents.list(notes.id)) == 120

    def test_one_bad_document_costs_the_others_nothing(self, client: Client) -> None:
        """What cannot travel, and what the server refuses, is told with its place."""
        notes = client.connectors.create_pushed("notes")
        done = client.documents.push(
            [
                {"external_id": "good", "text": "words", "date": date(2026, 1, 31), "tags": ("a", "b")},
                {"external_id": "blank", "text": " "},
                {"text": "no id"},
                "no document",  # type: ignore[list-item]
                {"external_id": "odd", "text": "words", "metadata": {"thing": object()}},
                {"external_id": "nan", "text": "words", "metadata": {"number": float("nan")}},
            ],
            connector=notes.id,
        )
        assert done.indexed == 1
        assert [(one.external_id, one.place) for one in done.errors] == [
            (None, 2),
            (None, 3),
            ("odd", 4),
            ("nan", 5),
            ("blank", 1),
        ]
        assert done.errors[-1].error == "Text content is empty"
        (document,) = client.documents.list(notes.id)
        assert (document.path, document.tags, document.created_at.date()) == (
            "good",
            ("a", "b"),
            date(2026, 1, 31),
        )

    def test_a_cursor_stands_only_behind_what_arrived(self, client: Client) -> None:
        """A text goes with the last batch; a function is asked for each; a guard refuses who comes late."""
        notes = client.connectors.create_pushed("notes")
        assert client.connectors.cursor(notes.id) is None
        documents = [{"external_id": f"n{number}", "text": "words"} for number in range(100)]
        cursors: list[str | None] = []
        client.documents.push(
            documents,
            connector=notes.id,
            cursor="page-2",
            cursor_before=None,
            progress=lambda pushed: cursors.append(pushed.cursor),
        )
        assert cursors == [None, "page-2"]
        assert client.connectors.cursor(notes.id) == "page-2"
        with pytest.raises(Conflict) as refused:
            client.documents.push(documents, connector=notes.id, cursor="x", cursor_before="page-1")
        assert refused.value.pushed == Pushed()
        assert client.connectors.cursor(notes.id) == "page-2"
        client.documents.push(
            documents,
            connector=notes.id,
            cursor=lambda last: f"after {last['external_id']}",
            cursor_before="page-2",
            batch_size=40,
        )
        assert client.connectors.cursor(notes.id) == "after n99"

    def test_upsert_replaces(self, client: Client) -> None:
        """Where the connector's settings say so, a changed document is indexed anew."""
        notes = client.connectors.create_pushed("notes", config={"documentSemantics": "upsert"})
        for text in ("first", "second"):
            done = client.documents.push([{"external_id": "n", "text": text}], connector=notes.id)
            assert done.indexed == 1
        (document,) = client.documents.list(notes.id)
        assert client.documents.get(document.id).content == "second"

    def test_nothing_is_pushed_where_nothing_can_be(self, client: Client) -> None:
        """A connector that fetches refuses; an unknown one does not exist; no documents ask nothing."""
        fetching = client.connectors.create("fixture", config=items("a.md"))
        document = {"external_id": "n", "text": "words"}
        with pytest.raises(Invalid):
            client.documents.push([document], connector=fetching.id)
        with pytest.raises(NotFound):
            client.documents.push([document], connector="conn_nobody")
        with pytest.raises(Invalid, match="1 to 50"):
            client.documents.push([document], connector=fetching.id, batch_size=51)
        assert client.documents.push([], connector="conn_nobody", cursor="x") == Pushed()


class TestTheRest:
    def test_search_narrows(self, client: Client) -> None:
        """By connector, collection, author, tags, kind and time, each as the server understands it."""
        notes = client.connectors.create_pushed("notes")
        other = client.connectors.create_pushed("other")
        for connector, author, tags, day in (
            (notes, "Ada", ["wet", "old"], "2026-01-31"),
            (other, "Bo", ["wet"], "2026-02-28"),
        ):
            document = {
                "external_id": author,
                "text": "the gauge",
                "author": author,
                "tags": tags,
                "date": day,
            }
            assert client.documents.push([document], connector=connector.id).indexed == 1

        def found(**filters: Any) -> list[str]:
            results = client.search("gauge", **filters)
            assert results.total == len(results.results)
            return sorted(hit.path for hit in results.results)

        assert found() == ["Ada", "Bo"]
        assert found(connectors=[other.id]) == ["Bo"]
        assert found(collections=[notes.collection], authors=["Ada"]) == ["Ada"]
        assert found(tags=["wet", "old"]) == ["Ada"]
        assert found(topics=["wet", "old"]) == ["Ada", "Bo"]
        assert found(content_types=["application/pdf"]) == []
        assert found(since=date(2026, 2, 1)) == ["Bo"]
        assert found(until=datetime(2026, 1, 31, 23, tzinfo=UTC)) == ["Ada"]
        assert found(since="2026-01-31", until="2026-02-28") == ["Ada", "Bo"]
        (hit,) = client.search("gauge", authors=["Ada"], facets=True).results
        assert (hit.metadata.source, hit.author, hit.highlights) == (notes.id, "Ada", ("gauge",))
        assert client.search("gauge", facets=True).facets["topics"][0].value == "wet"
        with pytest.raises(Invalid) as refused:
            client.search("gauge", limit=101)
        assert refused.value.field == "limit"

    def test_documents_are_read_and_deleted(self, client: Client) -> None:
        """With the text; what is gone is gone."""
        made = client.connectors.create("fixture", config=items("a.md", "b.md"))
        client.connectors.sync(made.id).wait()
        first, second = client.documents.list(made.id, status="indexed")
        assert client.documents.list(made.id, limit=1, offset=1) == [second]
        assert client.documents.get(first.id).content == f"words of {first.path}"
        client.documents.delete(first.id)
        assert client.documents.list(made.id) == [second]
        with pytest.raises(NotFound):
            client.documents.get(first.id)

    def test_files_are_handed_in_and_taken_away(self, client: Client, tmp_path: Path) -> None:
        """From the disk and from memory; their job reads them; what was not there is told."""
        notes = client.connectors.create_pushed("notes")
        path = tmp_path / "letter.txt"
        path.write_text("dear reader")
        upload = client.files.upload(notes.id, [path, ("memo.md", b"# memo")])
        assert [one.path for one in upload.files] == ["letter.txt", "memo.md"]
        assert client.jobs.get(notes.id, upload.job.id).wait().progress.indexed == 2
        assert {one.path for one in client.files.list(notes.id)} == {"letter.txt", "memo.md"}
        done = client.files.delete(notes.id, paths=["memo.md", "nothing.md"])
        assert (done.deleted, done.not_found) == (1, ("nothing.md",))
        with pytest.raises(Invalid, match="no file"):
            client.files.upload(notes.id, [])
        with pytest.raises(OSError, match="nowhere"):
            client.files.upload(notes.id, [tmp_path / "nowhere.txt"])

    def test_spaces_and_collections(self, client: Client) -> None:
        """Made, changed, removed; a connector can be put into any of them and is synced there."""
        space = client.spaces.create("Archive")
        assert space in [one.model_copy(update={"role": space.role}) for one in client.spaces.list()]
        collection = client.collections.create("Letters", space=space.id, description="old ones")
        assert collection.space_id == space.id
        assert client.collections.get(collection.id) == collection
        assert client.collections.update(collection.id, name="Old letters").name == "Old letters"
        assert [one.id for one in client.collections.list(space.id)][-1] == collection.id
        made = client.connectors.create("fixture", collection=collection.id, config=items("a.md"))
        assert made.collection == collection.id
        assert client.connectors.sync(made.id).wait().status == "completed"
        with pytest.raises(Conflict):
            client.collections.delete(collection.id)
        client.connectors.delete(made.id)
        client.collections.delete(collection.id)
        with pytest.raises(NotFound):
            client.connectors.create("fixture", collection="col_nothing")

    def test_the_overview_has_everything_at_once(self, client: Client) -> None:
        """Each connector with its newest run, in the words of the rest of the client."""
        made = client.connectors.create("fixture", name="Field", config=items("a.md"))
        client.connectors.sync(made.id).wait()
        client.connectors.create_pushed("my-notes")
        seen = client.overview()
        assert seen.documents == 1
        field, notes = seen.connectors
        assert (field.id, field.status, field.documents, field.is_pushed) == (made.id, "active", 1, False)
        assert field.last_run is not None
        assert field.last_run.status == "SUCCESS"
        assert (notes.type, notes.is_pushed, notes.last_run) == ("my_notes", True, None)


class TestTheAwaitedClient:
    def test_does_the_same(self, house: House) -> None:
        """A connector is made, synced, awaited with a coroutine for its progress, searched and removed."""

        async def work() -> None:
            async with house.awaited() as client:
                made = await client.connectors.create("fixture", config=items("a.md"))
                seen: list[str] = []

                async def note(report: JobReport) -> None:
                    seen.append(report.status)

                job = await client.connectors.sync(made.id)
                report = await job.wait(progress=note)
                assert (report.status, seen[-1]) == ("completed", "completed")
                assert (await client.jobs.get(made.id, job.id)).report == report
                assert [one.id for one in await client.jobs.list(made.id)] == [job.id]
                assert [hit.path for hit in (await client.search("words")).results] == ["a.md"]
                assert (await client.overview()).documents == 1
                await client.connectors.delete(made.id)
                with pytest.raises(NotFound):
                    await client.connectors.get(made.id)

        awaiting(work())

    def test_pushes_what_comes_asynchronously(self, house: House) -> None:
        """An asynchronous generator as well as a plain one."""

        async def texts() -> Any:
            for number in range(60):
                yield {"external_id": f"n{number}", "text": "words"}

        async def work(client: AsyncClient) -> None:
            notes = await client.connectors.create_pushed("notes")
            done = await client.documents.push(texts(), connector=notes.id, cursor="end")
            assert (done.indexed, done.batches, done.cursor) == (60, 2, "end")
            plain = ({"external_id": f"m{number}", "text": "words"} for number in range(3))
            assert (await client.documents.push(plain, connector=notes.id)).indexed == 3
            assert await client.connectors.cursor(notes.id) == "end"

        async def opened() -> None:
            async with house.awaited() as client:
                await work(client)

        awaiting(opened())

    def test_hands_files_in(self, house: House, tmp_path: Path) -> None:
        """From the disk and from memory, as the other one does."""
        path = tmp_path / "letter.txt"
        path.write_text("dear reader")

        async def work() -> None:
            async with house.awaited() as client:
                notes = await client.connectors.create_pushed("notes")
                upload = await client.files.upload(notes.id, [path, ("memo.md", b"# memo")])
                job = await client.jobs.get(notes.id, upload.job.id)
                assert (await job.wait()).progress.indexed == 2

        awaiting(work())

    def test_is_the_only_one_for_coroutines(self, client: Client) -> None:
        """The client that blocks says so, and sends nothing."""

        async def texts() -> Any:
            yield {"external_id": "n", "text": "words"}

        with pytest.raises(TypeError, match="AsyncClient"):
            client.documents.push(texts(), connector="conn_any")
