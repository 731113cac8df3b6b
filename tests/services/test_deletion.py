"""A document that a person deleted, saved documents, pushed texts indexed anew, and tries of a connection."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from catchment.core.errors import ConfigRejected, Conflict, NotFound, NotInstalled
from catchment.core.runs import Mode
from catchment.kit import registry
from catchment.services import chores, connectors, deletion, saved, syncs, testing
from catchment.services.push_input import PushRejected
from catchment.store.engine import writing
from catchment.sync.claim import add_run
from tests.support.desk import Desk
from tests.support.vault import counts, done


@pytest.fixture
def docs(desk: Desk, tmp_path: Path) -> Path:
    folder = tmp_path / "source"
    folder.mkdir()
    (folder / "a.md").write_text("alpha")
    (folder / "b.md").write_text("beta")
    desk.add("folder", {"path": str(folder)})
    desk.sync()
    return folder


@pytest.fixture
def fixture_provider(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    registry.provider.cache_clear()
    monkeypatch.setenv("CATCHMENT_FIXTURE_PROVIDER", "1")
    yield
    registry.provider.cache_clear()


class TestADeletedDocument:
    def test_is_left_alone_by_automatic_runs(self, desk: Desk, docs: Path) -> None:
        """It is gone at once, a second deletion finds nothing, and auto skips its item."""
        document = desk.document("a.md")
        deletion.delete_document(desk.context, document)
        assert desk.shown() == {"b.md"} and not desk.search("alpha")
        with pytest.raises(NotFound):
            deletion.delete_document(desk.context, document)
        assert counts(desk.sync()) == {"collected": 2, "skipped": 2}
        assert counts(desk.sync(file_filter=["a.md"])) == {"collected": 1, "skipped": 1}
        assert desk.shown() == {"b.md"}
        desk.check_index()

    @pytest.mark.parametrize(
        "parameters", [{"mode": "full"}, {"mode": "incremental", "file_filter": ["a.md"]}]
    )
    def test_comes_back_when_all_or_it_is_asked_for(
        self, desk: Desk, docs: Path, parameters: dict[str, object]
    ) -> None:
        """A full run takes everything, incremental what is named."""
        deletion.delete_document(desk.context, desk.document("a.md"))
        desk.sync(**parameters)
        assert desk.shown() == {"a.md", "b.md"}

    def test_comes_back_with_a_new_version(self, desk: Desk, docs: Path) -> None:
        """A change at the source is news."""
        deletion.delete_document(desk.context, desk.document("a.md"))
        (docs / "a.md").write_text("alpha, second edition")
        assert counts(desk.sync()) == done(1, collected=2, skipped=1)
        assert desk.texts()["a.md"] == "alpha, second edition"

    def test_comes_back_when_it_is_pushed_again(self, desk: Desk) -> None:
        """What was removed does not count as known."""
        notes = desk.pushed_to()
        desk.push(notes, "a")
        deletion.delete_document(desk.context, desk.document("a"))
        assert desk.push(notes, "a").indexed == 1


class TestASavedDocument:
    def test_is_kept_in_a_connector_that_is_made_on_first_use(self, desk: Desk) -> None:
        """Two saves are two documents of one connector, even of the same text."""
        first = saved.save(desk.context, {"text": "a heron", "title": "Birds", "tags": ["x"]})
        second = saved.save(desk.context, {"text": "a heron"})
        assert (first.title, first.tags, second.title) == ("Birds", ["x"], "")
        assert first.id != second.id
        made = connectors.all_connectors(desk.context)
        assert [(row.name, row.provider, row.execution, row.status) for row in made] == [
            ("Manual Saves", "manual", "LOCAL", "ACTIVE")
        ]
        assert len(desk.search("heron")) == 2

    def test_without_a_text_is_refused(self, desk: Desk) -> None:
        """The sentence says why."""
        with pytest.raises(saved.SaveRejected, match="Text content is empty"):
            saved.save(desk.context, {"text": " "})


class TestPushedTexts:
    def test_are_indexed_anew_by_a_full_run(self, any_desk: Desk) -> None:
        """In place, with everything that was sent of them; upsert still knows them afterwards."""
        notes = any_desk.pushed_to(documentSemantics="upsert")
        document = {
            "external_id": "a",
            "text": "%PDF looks like another format",
            "url": "https://example.org/a",
            "author": "Ann",
            "date": "2024-01-01",
            "tags": ["t"],
            "metadata": {"deep": {"er": [1]}},
        }
        any_desk.push(notes, document, "b", cursor="c")
        before = list(any_desk.dump()["documents"])
        texts = any_desk.texts()
        with writing(any_desk.engine) as connection:
            add_run(connection, "f" * 32, notes.pk, mode="full", trigger="manual", names=[])
        any_desk.tune(fetches=4)
        run = any_desk.work_off("f" * 32)
        assert run.state == "SUCCEEDED" and counts(run) == done(2)
        assert any_desk.texts() == texts
        assert list(any_desk.dump()["documents"]) == before
        assert any_desk.push(notes, document, "b").skipped == 2
        assert any_desk.again(notes).cursor == "c"
        any_desk.check_index()

    def test_that_change_meanwhile_are_not_set_back(self, desk: Desk) -> None:
        """A push between reading and writing wins."""
        notes = desk.pushed_to(documentSemantics="upsert")
        desk.push(notes, {"external_id": "a", "text": "old words"})
        with writing(desk.engine) as connection:
            add_run(connection, "f" * 32, notes.pk, mode="full", trigger="manual", names=[])
        run = desk.begin_handed_in("f" * 32)
        read = run.source.fetch

        def fetch_late(item):  # type: ignore[no-untyped-def]
            content = read(item)
            desk.push(notes, {"external_id": "a", "text": "new words"})
            return content

        run.source.fetch = fetch_late  # type: ignore[method-assign]
        desk.work(run)
        assert desk.texts() == {"a": "new words"}

    def test_are_no_business_of_any_other_mode(self, desk: Desk) -> None:
        """There is nothing to fetch."""
        notes = desk.pushed_to()
        for mode in (Mode.AUTO, Mode.INCREMENTAL):
            with pytest.raises(Conflict):
                syncs.trigger(desk.context, notes, mode=mode)
        with pytest.raises(Conflict):
            syncs.retry(desk.context, desk.runs_of(notes)[0]) if desk.runs_of(notes) else syncs.trigger(
                desk.context, notes
            )


class TestARecording:
    def test_is_indexed_once_it_is_transcribed(self, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
        """One that fails is recorded, and pushing it again tries again; others go on."""
        from catchment.core.errors import ItemUnreadable
        from catchment.sync import handed_in

        class Ear:
            def transcribe(self, audio_url: str, *, key: str) -> str:
                if "bad" in audio_url:
                    raise ItemUnreadable(key, "not_transcribed", "Only noise.")
                return "spoken of herons"

        monkeypatch.setattr(handed_in, "transcriber", lambda session: Ear())
        notes = desk.pushed_to()
        talks = [
            {
                "external_id": name,
                "title": name,
                "audio_url": f"https://example.org/{name}.mp3",
                "tags": ["t"],
            }
            for name in ("good", "bad")
        ]
        desk.push(notes, *talks, "text")
        waiting = desk.runs_of(notes)[0] if desk.runs_of(notes)[0].waiting else desk.runs_of(notes)[1]
        assert not chores.start(desk.context, waiting)
        run = desk.work_off(waiting.id)
        assert (run.indexed, run.failed, run.collected) == (1, 1, 2)
        hit = desk.search("herons", tags=("t",))[0]
        assert (hit.title, hit.content_type) == ("good", "transcript")
        assert desk.files(notes) == {"good": "indexed", "bad": "failed", "text": "indexed"}
        assert desk.push(notes, talks[1]).transcriptions == 1
        desk.check_index()


class TestATry:
    def test_stores_nothing_and_tells_how_long_it_took(self, desk: Desk, fixture_provider: None) -> None:
        """A source that refuses is a result."""
        before = desk.dump()
        good = testing.try_settings("fixture", {"items": []})
        bad = testing.try_settings("fixture", {"items": [], "refuse": True})
        assert (good.success, bad.success) == (True, False)
        assert bad.message and good.latency_ms >= 0
        assert desk.dump() == before

    def test_of_a_stored_connector_uses_what_is_stored(self, desk: Desk, docs: Path) -> None:
        """Its settings, and its trust."""
        assert testing.try_connector(desk.context, desk.connector()).success
        desk.mark(trusted=False)
        refused = testing.try_connector(desk.context, desk.connector())
        assert not refused.success and "may not read folders" in refused.message

    def test_of_a_provider_without_code_says_so(self) -> None:
        """Its settings are checked all the same."""
        tried = testing.try_settings("google-drive", {"folderIds": []}, {"accessToken": "secret-canary"})
        assert not tried.success and "not installed" in tried.message
        with pytest.raises(ConfigRejected, match="instanceUrl"):
            testing.try_settings("confluence", {})
        with pytest.raises(ConfigRejected) as caught:
            testing.try_settings("confluence", {"instanceUrl": "x"}, {"nonsense": "secret-canary"})
        assert "secret-canary" not in str(caught.value)
        with pytest.raises(NotFound):
            testing.try_settings("carrier-pigeon", {})


def test_a_provider_without_code_is_refused_a_run(desk: Desk) -> None:
    """The connector can be made and shown; its trigger says what is missing."""
    row = desk.add("slack", {}, name="talk")
    with pytest.raises(NotInstalled):
        syncs.trigger(desk.context, row)
    assert desk.runs_of(row) == []
    with pytest.raises(NotInstalled):
        connectors.browse(desk.context, row)


def test_a_paused_connector_of_saves_says_so(desk: Desk) -> None:
    """It pauses and resumes without Prefect."""
    saved.save(desk.context, {"text": "x"})
    row = connectors.all_connectors(desk.context)[0]
    paused = connectors.set_paused(desk.context, row, paused=True)
    assert paused.status == "PAUSED"
    with pytest.raises(PushRejected):
        saved.save(desk.context, {"text": "y"})
    connectors.set_paused(desk.context, paused, paused=False)
    saved.save(desk.context, {"text": "y"})
