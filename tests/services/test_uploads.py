"""Uploads: kept by their content, read by a run of their own, and never mixed up with the source's files."""

from __future__ import annotations

import io
import os
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catchment.core.errors import Conflict, UsageError
from catchment.services import chores, files, uploads
from catchment.services.uploads import Upload, UploadTooLarge, clean_name, upload
from catchment.store import connectors, runs
from catchment.store.engine import writing
from catchment.sync.lanes import run_in_threads
from tests.support.desk import Desk
from tests.support.vault import counts, done


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "source"
    made.mkdir()
    (made / "note.md").write_text("of the source")
    return made


def blobs(desk: Desk) -> set[str]:
    return set(desk.context.blobs.all())


class TestAName:
    @pytest.mark.parametrize(
        ("given", "path"),
        [
            ("note.md", "note.md"),
            ("../../etc/passwd", "etc/passwd"),
            ("/etc/passwd", "etc/passwd"),
            ("..\\..\\windows\\system.ini", "windows/system.ini"),
            ("C:\\docs\\a.md", "docs/a.md"),
            ("a/./b//c.md", "a/b/c.md"),
            ("a\0b\r\n.md", "ab.md"),
            ("evil\u202egpj.exe", "evilgpj.exe"),
            ("half \ud800.md", "half .md"),
            ("e\u0301.md", "é.md"),
            ("", "unnamed"),
            ("..", "unnamed"),
            ("...", "..."),
            (" / ", "unnamed"),
        ],
    )
    def test_is_made_harmless(self, given: str, path: str) -> None:
        """It climbs nowhere, and holds nothing that cannot be seen."""
        assert clean_name(given) == path

    @given(st.text(max_size=2000))
    def test_is_never_long_and_never_changes_twice(self, name: str) -> None:
        """Whatever a client sends: bounded, without climbing parts, and the same when it is sent again."""
        path = clean_name(name)
        assert path and len(path.encode()) <= 1024
        assert not {"", ".", ".."} & set(path.split("/"))
        assert clean_name(path) == path

    def test_that_is_too_long_keeps_its_ending(self) -> None:
        """The ending tells the format."""
        path = clean_name("ä" * 400 + ".docx")
        assert path.endswith(".docx") and len(path.encode()) <= 255


class TestAnUpload:
    def test_is_read_by_a_run_of_its_own(self, any_desk: Desk) -> None:
        """Taken in at once although Prefect is away; pending until its run has read it."""
        notes = any_desk.pushed_to()
        taken = any_desk.upload(notes, note_txt="an uploaded heron", b_md="# Title\n\nmore")
        assert [(file.path, file.key) for file in taken.files] == [
            ("note.txt", "upload:note.txt"),
            ("b.md", "upload:b.md"),
        ]
        assert (taken.run.kind, taken.run.state, taken.run.waiting) == ("upload", "QUEUED", True)
        assert any_desk.files(notes) == {"upload:note.txt": "pending", "upload:b.md": "pending"}
        assert not any_desk.search("heron")
        run = any_desk.work_off(taken.run.id)
        assert run.state == "SUCCEEDED" and counts(run) == done(2)
        assert any_desk.search("heron")[0].title == "note.txt"
        assert any_desk.files(notes) == {"upload:note.txt": "indexed", "upload:b.md": "indexed"}
        assert any_desk.fact("upload:b.md", "origin") == "upload"
        any_desk.check_index()

    def test_of_the_same_bytes_is_skipped_and_of_others_replaces(self, desk: Desk) -> None:
        """The document keeps its id; the bytes that nothing names any more go at the next tidying."""
        notes = desk.pushed_to()
        desk.work_off(desk.upload(notes, a_txt="one").run.id)
        before = desk.ids()
        assert counts(desk.work_off(desk.upload(notes, a_txt="one").run.id)) == {"collected": 1, "skipped": 1}
        assert counts(desk.work_off(desk.upload(notes, a_txt="two").run.id)) == done(1)
        assert desk.texts() == {"upload:a.txt": "two"} and desk.ids() == before
        assert len(blobs(desk)) == 2
        assert uploads.clear(desk.context) == 1
        assert len(blobs(desk)) == 1

    def test_goes_on_beside_a_sync_and_neither_touches_the_other(self, desk: Desk, folder: Path) -> None:
        """One path in the source and one handed in are two documents, whatever is named or missing."""
        docs = desk.add("folder", {"path": str(folder)})
        under_way = desk.begin()
        taken = desk.upload_named(docs, {"note.md": "handed in"})
        assert desk.work_off(taken.run.id).state == "SUCCEEDED"
        desk.work(under_way)
        assert desk.texts() == {"note.md": "of the source", "upload:note.md": "handed in"}
        (folder / "note.md").unlink()
        (folder / "other.md").write_text("other")
        assert counts(desk.sync(file_filter=["note.md"])) == {"collected": 1, "gone": 1, "deleted": 1}
        assert desk.sync(file_filter=["upload:note.md"]).failed == 1
        desk.sync()
        assert desk.texts() == {"other.md": "other", "upload:note.md": "handed in"}

    def test_cannot_be_impersonated_by_a_file_of_the_source(self, desk: Desk, folder: Path) -> None:
        """A file there that is called like an upload's key is another item."""
        docs = desk.add("folder", {"path": str(folder)})
        desk.work_off(desk.upload_named(docs, {"x.md": "handed in"}).run.id)
        (folder / "upload:x.md").write_text("of the source, too")
        desk.sync()
        assert desk.texts()["upload:x.md"] == "handed in"
        assert desk.texts()["source:upload:x.md"] == "of the source, too"
        (folder / "upload:x.md").unlink()
        desk.sync()
        assert "source:upload:x.md" not in desk.texts() and "upload:x.md" in desk.texts()

    def test_that_cannot_be_read_fails_alone_and_spares_the_connector(self, desk: Desk) -> None:
        """A later upload of the same name has its chance."""
        notes = desk.pushed_to()
        run = desk.work_off(desk.upload(notes, bad_docx=b"PK\3\4 no archive", good_txt="fine").run.id)
        assert (run.indexed, run.failed) == (1, 1)
        assert desk.files(notes)["upload:bad.docx"] == "failed"
        assert desk.again(notes).status == "ACTIVE"
        alone = desk.work_off(desk.upload(notes, bad_docx=b"PK\3\4 no archive").run.id)
        assert alone.state == "FAILED" and desk.again(notes).status == "ACTIVE"

    def test_that_is_too_large_keeps_nothing_of_its_companions(self, desk: Desk) -> None:
        """Neither bytes nor rows."""
        notes = desk.pushed_to()
        sent = [Upload("a.txt", io.BytesIO(b"fine")), Upload("b.txt", io.BytesIO(b"x" * 2000))]
        with pytest.raises(UploadTooLarge):
            upload(desk.context, notes, sent, max_file_bytes=1000)
        assert (desk.files(notes), desk.runs_of(notes), blobs(desk)) == ({}, [], set())
        assert list((desk.home / "blobs" / "incoming").iterdir()) == []

    def test_is_refused_by_a_connector_that_is_paused(self, desk: Desk) -> None:
        """And without any file."""
        notes = desk.pushed_to()
        with pytest.raises(UsageError):
            upload(desk.context, notes, [])
        with writing(desk.engine) as connection:
            connectors.change(connection, notes.pk, paused=True)
        with pytest.raises(Conflict):
            desk.upload(notes, a_txt="x")
        assert blobs(desk) == set()

    def test_handed_in_anew_while_it_is_read_wins(self, desk: Desk) -> None:
        """The first run leaves what is not the same any more to the second."""
        notes = desk.pushed_to()
        first = desk.begin_handed_in(desk.upload(notes, a_txt="old words").run.id)
        read = first.source.fetch
        second: list[str] = []

        def fetch_late(item):  # type: ignore[no-untyped-def]
            content = read(item)
            second.append(desk.upload(notes, a_txt="new words").run.id)
            return content

        first.source.fetch = fetch_late  # type: ignore[method-assign]
        desk.work(first)
        assert desk.files(notes) == {"upload:a.txt": "pending"}
        assert counts(desk.work_off(second[0])) == done(1)
        assert desk.texts() == {"upload:a.txt": "new words"}

    def test_whose_run_died_is_read_by_another(self, desk: Desk) -> None:
        """After three deaths in a row it counts as failed."""
        notes = desk.pushed_to()
        run_id = desk.upload(notes, a_txt="x").run.id
        assert chores.reopen(desk.context) == 0
        for _ in range(chores.MOST_DEATHS):
            with writing(desk.engine) as connection:
                runs.change(connection, run_id, state="FAILED", error_code="interrupted")
            desk.clock.advance(1)
            time.sleep(0.002)  # the database's own clock tells which run is the newest
            reopened = chores.reopen(desk.context)
            run_id = desk.runs_of(notes)[0].id
        assert reopened == 0
        assert desk.files(notes) == {"upload:a.txt": "failed"}

    def test_whose_run_a_person_cancelled_is_left(self, desk: Desk) -> None:
        """Nobody starts again what a person stopped."""
        notes = desk.pushed_to()
        run_id = desk.upload(notes, a_txt="x").run.id
        with writing(desk.engine) as connection:
            runs.request_cancel(connection, run_id, reason="user")
        assert chores.reopen(desk.context) == 0
        assert counts(desk.work_off(desk.upload(notes, a_txt="x").run.id)) == done(1)


class TestTakingAway:
    def test_an_upload_erases_document_and_bytes(self, desk: Desk) -> None:
        """By its path; what means nothing is named."""
        notes = desk.pushed_to()
        desk.work_off(desk.upload(notes, a_txt="a", b_txt="b").run.id)
        result = files.delete(desk.context, notes, names=["a.txt", "never.txt"])
        assert (result.deleted, result.not_found) == (1, ["never.txt"])
        assert desk.shown() == {"upload:b.txt"} and len(blobs(desk)) == 1
        again = files.delete(desk.context, notes, names=["a.txt"])
        assert (again.deleted, again.not_found) == (0, ["a.txt"])
        assert counts(desk.work_off(desk.upload(notes, a_txt="a").run.id)) == done(1)

    def test_one_of_two_uploads_of_the_same_bytes_keeps_them(self, desk: Desk) -> None:
        """Bytes are shared, also between connectors."""
        notes, others = desk.pushed_to(), desk.pushed_to("others")
        desk.work_off(desk.upload(notes, a_txt="same").run.id)
        taken = desk.upload(others, b_txt="same")
        files.delete(desk.context, notes, names=["a.txt"])
        assert len(blobs(desk)) == 1
        assert desk.work_off(taken.run.id).indexed == 1

    def test_a_file_of_the_source_lasts_until_it_changes(self, desk: Desk, folder: Path) -> None:
        """Our copy goes, the source's file stays; by id as well as by path."""
        docs = desk.add("folder", {"path": str(folder)})
        desk.sync()
        row = files.listed(desk.context, docs, limit=10)[0][0]
        result = files.delete(desk.context, docs, ids=[f"file_{row.id}", "file_" + "0" * 32, "nonsense"])
        assert (result.deleted, result.not_found) == (1, ["file_" + "0" * 32, "nonsense"])
        assert (folder / "note.md").exists() and desk.shown() == set()
        desk.sync()
        assert desk.files(docs) == {"note.md": "deleted"} and desk.shown() == set()
        os.utime(folder / "note.md", (1, 1))
        (folder / "note.md").write_text("changed")
        desk.sync()
        assert desk.texts() == {"note.md": "changed"}

    def test_leftovers_of_a_dead_process_go_when_they_are_old(self, desk: Desk) -> None:
        """Young ones may be on their way in."""
        incoming = desk.home / "blobs" / "incoming"
        incoming.mkdir(parents=True)
        (incoming / "young").write_bytes(b"x")
        (incoming / "old").write_bytes(b"x")
        os.utime(incoming / "old", (1, 1))
        assert uploads.clear(desk.context) == 1
        assert [path.name for path in incoming.iterdir()] == ["young"]


def test_a_run_of_uploads_ends_when_it_is_cancelled(desk: Desk) -> None:
    """What it did not get to stays pending."""
    notes = desk.pushed_to()
    run = desk.begin_handed_in(desk.upload(notes, a_txt="x").run.id)
    from catchment.core.errors import RunCancelled

    run.stop.set(RunCancelled("enough"))
    with pytest.raises(RunCancelled):
        run_in_threads(run)
    run.close()
    assert desk.files(notes) == {"upload:a.txt": "pending"}
