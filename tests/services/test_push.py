"""Pushes: what is taken in, what is refused, and what holds whatever goes wrong."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from typing import Any

import pytest

from catchment.core.errors import Conflict
from catchment.services import push as pushing
from catchment.services.push import fold, push
from catchment.services.push_input import PushRejected, read_envelope
from catchment.store import connectors, items, pushes
from catchment.store.engine import writing
from catchment.store.tables import documents, runs
from tests.support.desk import Desk
from tests.support.stack import wait_for


def rows(desk: Desk, table: Any) -> list[Any]:
    return [row._mapping for row in desk_rows(desk, table)]


def desk_rows(desk: Desk, table: Any) -> list[Any]:
    from sqlalchemy import select

    from catchment.store.engine import reading

    with reading(desk.engine) as connection:
        return list(connection.execute(select(table)))


class TestADocument:
    def test_can_be_found_as_soon_as_the_push_is_answered(self, any_desk: Desk) -> None:
        """Words, title, link, author, tags, date and metadata are kept; the run is final and counts."""
        notes = any_desk.pushed_to()
        document = {
            "external_id": "note-1",
            "title": "Herons",
            "text": "# Birds\n\nThe heron stands still.",
            "url": "https://example.org/1",
            "author": "Ann",
            "date": "2024-05-01T12:00:00+02:00",
            "content_type": "highlight",
            "tags": ["a", "b", "a"],
            "metadata": {"nested": {"n": [1, None, True]}, "word": "x"},
            "unknown": "ignored",
        }
        result = any_desk.push(notes, document, cursor="page-2")
        assert (result.indexed, result.skipped, result.errors, result.cursor) == (1, 0, [], "page-2")
        hit = any_desk.search("heron")[0]
        assert (hit.title, hit.url, hit.author, hit.content_type) == (
            "Herons",
            "https://example.org/1",
            "Ann",
            "highlight",
        )
        assert any_desk.search("heron", tags=("a", "b"), since=1714557600.0, until=1714557601.0)
        assert not any_desk.search("heron", tags=("c",))
        row = rows(any_desk, documents)[0]
        assert row["metadata"] == document["metadata"]
        assert (row["tags"], row["created_at"]) == (["a", "b"], 1714557600.0)
        run = any_desk.runs_of(notes)[0]
        assert (run.id, run.kind, run.trigger, run.state) == (result.run_id, "push", "push", "SUCCEEDED")
        assert (run.collected, run.indexed, run.skipped, run.failed) == (1, 1, 0, 0)
        assert run.details["cursor"] == "page-2"
        assert any_desk.again(notes).cursor == "page-2"
        any_desk.check_index()

    def test_that_is_known_is_skipped_whatever_its_text(self, any_desk: Desk) -> None:
        """The pair of connector and id decides; the same id under another connector is another document."""
        notes, others = any_desk.pushed_to(), any_desk.pushed_to("others")
        any_desk.push(notes, "a")
        again = any_desk.push(notes, {"external_id": "a", "text": "new words"}, "b")
        assert (again.indexed, again.skipped) == (1, 1)
        assert not any_desk.search("words")
        assert any_desk.push(others, "a").indexed == 1
        run = any_desk.runs_of(notes)[0]
        assert (run.collected, run.skipped, run.indexed, run.parsed) == (2, 1, 1, 1)

    def test_that_is_sent_twice_in_one_push_counts_once(self, desk: Desk) -> None:
        """The first one wins, and the later ones count as skipped."""
        notes = desk.pushed_to()
        first, later = {"external_id": "a", "text": "early"}, {"external_id": "a", "text": "late"}
        result = desk.push(notes, first, later, later)
        assert (result.indexed, result.skipped) == (1, 2)
        assert desk.search("early") and not desk.search("late")

    def test_is_updated_in_place_where_the_connector_says_upsert(self, any_desk: Desk) -> None:
        """Other content counts as indexed and keeps the document's id; the same content is skipped."""
        notes = any_desk.pushed_to(documentSemantics="upsert")
        any_desk.push(notes, {"external_id": "a", "text": "old words"})
        before = any_desk.ids()
        assert any_desk.push(notes, {"external_id": "a", "text": "old words"}).skipped == 1
        assert any_desk.push(notes, {"external_id": "a", "text": "fresh words"}).indexed == 1
        assert any_desk.ids() == before
        assert any_desk.search("fresh") and not any_desk.search("old")
        assert any_desk.push(notes, {"external_id": "a", "text": "fresh words", "tags": ["t"]}).indexed == 1
        any_desk.check_index()

    @pytest.mark.parametrize("state", ["failed", "hidden", "deleted", "quarantined"])
    def test_that_is_gone_or_failed_is_taken_anew(self, desk: Desk, state: str) -> None:
        """Only what is in the index, or waits for its text, counts as known."""
        notes = desk.pushed_to()
        desk.push(notes, "a")
        with writing(desk.engine) as connection:
            known = items.lookup(connection, notes.pk, ["a"])["a"]
            from catchment.store.index import index_for

            index_for(desk.engine.dialect.name).remove(connection, [known.pk], now=1.0)
            pushes.write_items(
                connection,
                notes.pk,
                new=[],
                changed=[("a", "a", state, None, 1, None, None, None, None, 0, None, 1.0, known.pk)],
            )
        assert desk.push(notes, {"external_id": "a", "text": "second life"}).indexed == 1
        assert desk.shown() == {"a"}
        desk.check_index()


class TestAnError:
    @pytest.mark.parametrize(
        ("document", "told"),
        [
            ({"text": ""}, "Text content is empty"),
            ({"text": " \n\t\0"}, "Text content is empty"),
            ({}, "Text content is empty"),
            ({"text": 7}, "text must be a string"),
            ({"text": "x" * 2001}, "longer than 2,000"),
            ({"text": "t", "content_type": "video"}, "content_type must be one of"),
            ({"text": "t", "date": "last week"}, "date must be"),
            ({"text": "t", "date": 5}, "date must be"),
            ({"text": "t", "date": "0001-01-01T00:00:00+14:00"}, "date must be"),
            ({"text": "t", "tags": "a"}, "tags must be"),
            ({"text": "t", "tags": ["a", 1]}, "tags must be"),
            ({"text": "t", "metadata": []}, "metadata must be"),
            ({"text": "t", "metadata": {"n": float("nan")}}, "metadata holds"),
            ({"text": "t", "title": ["x"]}, "title must be a string"),
            ({"text": "t", "url": {}}, "url must be a string"),
            ({"audio_url": "ftp://example.org/a.mp3"}, "audio_url must be"),
            ({"audio_url": "http://[::1"}, "audio_url must be"),
            ({"external_id": "", "text": "t"}, "external_id must have"),
            ({"external_id": "x" * 513, "text": "t"}, "external_id must have"),
            ({"external_id": "a\0b", "text": "t"}, "external_id holds"),
            ({"external_id": "a\ud800", "text": "t"}, "external_id holds"),
        ],
    )
    def test_of_one_document_costs_the_others_nothing(
        self, desk: Desk, document: dict[str, Any], told: str
    ) -> None:
        """It is named with its id, the rest is indexed, and the cursor moves with them."""
        notes = desk.pushed_to()
        sent = [{"external_id": "bad", **document}, {"external_id": "good", "text": "fine"}]
        settings = pushing.ParseSettings(max_characters=2000)
        result = push(desk.context, notes, sent, cursor="c", settings=settings)
        assert (result.indexed, result.skipped, len(result.errors)) == (1, 0, 1)
        assert told in result.errors[0][1]
        json.dumps(result.errors).encode()
        assert desk.shown() == {"good"}
        assert desk.again(notes).cursor == "c"
        assert desk.runs_of(notes)[0].details["errors"][0]["error"] == result.errors[0][1]

    def test_of_a_known_document_is_an_error_and_no_skip(self, desk: Desk) -> None:
        """Validity is looked at before identity."""
        notes = desk.pushed_to()
        desk.push(notes, "a")
        result = desk.push(notes, {"external_id": "a", "text": ""})
        assert (result.skipped, result.errors) == (0, [("a", "Text content is empty")])

    @pytest.mark.parametrize(
        "sent",
        [
            None,
            {},
            [],
            [{"external_id": f"d{n}", "text": "t"} for n in range(51)],
            [{"external_id": "a", "text": "t"}, "no object"],
            [{"external_id": "a", "text": "t"}, {"text": "t"}],
            [{"external_id": 5, "text": "t"}],
        ],
    )
    def test_of_the_envelope_stores_nothing(self, desk: Desk, sent: Any) -> None:
        """Neither documents, nor a run, nor the cursor."""
        notes = desk.pushed_to()
        with pytest.raises(PushRejected):
            push(desk.context, notes, sent, cursor="c")
        assert (desk.shown(), desk.runs_of(notes), desk.again(notes).cursor) == (set(), [], None)

    @pytest.mark.parametrize(
        "body",
        [
            [],
            None,
            "x",
            {"documents": []},
            {"connector_id": 5, "documents": []},
            {"connector_id": "c", "documents": [{"external_id": "a"}], "cursor": 5},
            {"connector_id": "c", "documents": [{"external_id": "a"}], "cursor": "x" * 4097},
            {"connector_id": "c", "documents": [{"external_id": "a"}], "cursor": "a\0"},
            {"connector_id": "c", "documents": [{"external_id": "a"}], "cursor_before": 5},
        ],
    )
    def test_of_the_body_is_told_before_anything_is_looked_up(self, body: Any) -> None:
        """Whatever JSON can say, the answer is one sentence."""
        with pytest.raises(PushRejected):
            read_envelope(body)

    def test_in_the_middle_of_the_transaction_leaves_no_trace(
        self, desk: Desk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Documents, run and cursor become true together, or nothing does."""
        notes = desk.pushed_to()
        desk.push(notes, "a", cursor="one")
        before = desk.dump()

        def fail(*_args: Any, **_more: Any) -> None:
            raise OSError("the power is gone")

        monkeypatch.setattr(connectors, "change", fail)
        with pytest.raises(OSError):
            desk.push(notes, "b", cursor="two")
        assert desk.dump(but=("meta",)) == {k: v for k, v in before.items() if k != "meta"}

    def test_of_surrogates_and_zero_bytes_in_texts_is_mended(self, any_desk: Desk) -> None:
        """What no database takes is dropped from texts that people read."""
        notes = any_desk.pushed_to()
        document = {
            "external_id": "a",
            "text": "one\0two \ud83d three",
            "title": "t\0\ud800",
            "tags": ["x\0"],
            "metadata": {"k\0": ["v\ud800", {"deep": "\0"}]},
        }
        assert any_desk.push(notes, document).indexed == 1
        assert rows(any_desk, documents)[0]["metadata"] == {"k": ["v", {"deep": ""}]}


class TestAConnector:
    def test_that_fetches_by_itself_takes_no_push(self, desk: Desk) -> None:
        """Pushed documents would vanish at its next complete listing."""
        docs = desk.add("folder", {"path": "/nowhere"})
        with pytest.raises(PushRejected, match="fetches by itself"):
            desk.push(docs, "a")

    def test_that_is_paused_takes_no_push(self, desk: Desk) -> None:
        """Also when it was paused after the caller had read it."""
        notes = desk.pushed_to()
        with writing(desk.engine) as connection:
            connectors.change(connection, notes.pk, paused=True, status="PAUSED")
        with pytest.raises(PushRejected, match="paused"):
            push(desk.context, notes, [{"external_id": "a", "text": "t"}])
        assert desk.runs_of(notes) == []

    def test_in_error_is_mended_by_a_good_push(self, desk: Desk) -> None:
        """Its status and message go, and its last success is now."""
        notes = desk.pushed_to()
        with writing(desk.engine) as connection:
            connectors.change(connection, notes.pk, status="ERROR", error_message="broken")
        desk.push(notes, "a")
        fresh = desk.again(notes)
        assert (fresh.status, fresh.error_message) == ("ACTIVE", None)
        assert fresh.last_success_at == desk.clock.now()


class TestACursor:
    def test_that_is_not_sent_stays(self, desk: Desk) -> None:
        """Nothing sent leaves it; an empty text is a value."""
        notes = desk.pushed_to()
        desk.push(notes, "a", cursor="one")
        assert desk.push(notes, "b").cursor is None
        assert desk.again(notes).cursor == "one"
        desk.push(notes, "c", cursor="")
        assert desk.again(notes).cursor == ""

    def test_moves_only_from_where_the_client_believes_it_to_be(self, any_desk: Desk) -> None:
        """A stale claim stores nothing; null claims that there is none."""
        notes = any_desk.pushed_to()
        any_desk.push(notes, "a", cursor="one", cursor_before=None)
        with pytest.raises(Conflict):
            any_desk.push(notes, "b", cursor="two", cursor_before=None)
        with pytest.raises(Conflict):
            any_desk.push(notes, "b", cursor="two", cursor_before="zero")
        assert any_desk.shown() == {"a"}
        assert any_desk.again(notes).cursor == "one"
        any_desk.push(notes, "b", cursor="two", cursor_before="one")
        assert any_desk.again(notes).cursor == "two"

    def test_is_won_by_one_of_two_pushes_at_once(self, any_desk: Desk) -> None:
        """Of many that begin at the same cursor one goes through, and each document is there once."""
        notes = any_desk.pushed_to()
        any_desk.push(notes, "start", cursor="0")
        won: list[str] = []
        gate = threading.Barrier(6)

        def go(name: str) -> None:
            gate.wait()
            try:
                any_desk.push(notes, "same", name, cursor=name, cursor_before="0")
                won.append(name)
            except Conflict:
                pass

        threads = [threading.Thread(target=go, args=(f"n{number}",)) for number in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(won) == 1
        assert any_desk.shown() == {"start", "same", won[0]}
        any_desk.check_index()


class TestARecording:
    def test_waits_for_its_text_and_no_search_finds_it(self, any_desk: Desk) -> None:
        """Its document exists, one run waits for all of them, and it counts as known meanwhile."""
        notes = any_desk.pushed_to()
        talk = {"external_id": "talk", "title": "A Talk", "audio_url": "https://example.org/talk.mp3"}
        result = any_desk.push(notes, talk, "a", {**talk, "external_id": "other"}, cursor="c")
        assert (result.indexed, result.skipped, result.transcriptions) == (1, 0, 2)
        assert not any_desk.search("talk")
        assert any_desk.fact("talk", "state") == "pending"
        row = next(row for row in rows(any_desk, documents) if row["title"] == "A Talk")
        assert (row["content_type"], row["characters"]) == ("transcript", 0)
        assert row["metadata"] == {"audio_url": "https://example.org/talk.mp3"}
        assert any_desk.push(notes, talk).skipped == 1
        waiting = [run for run in any_desk.runs_of(notes) if run.kind == "transcribe"]
        assert [(run.state, run.waiting) for run in waiting] == [("QUEUED", True)]
        any_desk.check_index()

    def test_with_a_text_is_an_ordinary_document(self, desk: Desk) -> None:
        """The address of the recording is kept among the metadata."""
        notes = desk.pushed_to()
        document = {"external_id": "a", "text": "spoken", "audio_url": "https://example.org/a.mp3"}
        assert desk.push(notes, document).transcriptions == 0
        assert rows(desk, documents)[0]["metadata"]["audio_url"] == "https://example.org/a.mp3"


class TestOldPushes:
    def test_become_one_run_for_each_day(self, any_desk: Desk) -> None:
        """Sums stay right, whole days only, and folding again changes nothing."""
        notes = any_desk.pushed_to()
        for number in range(6):
            any_desk.push(notes, f"d{number}", {"external_id": "bad"}, cursor=str(number))
        day = pushes.DAY_SECONDS
        today = any_desk.clock.now() // day * day
        with writing(any_desk.engine) as connection:
            for place, row in enumerate(sorted(any_desk.runs_of(notes), key=lambda run: run.id)):
                moment = today - (10 - place // 2) * day + 3600.0 * place
                connection.execute(runs.update().where(runs.c.id == row.id).values(created_at=moment))
        assert fold(any_desk.context) == 6
        folded = any_desk.runs_of(notes)
        assert [(run.mode, run.indexed, run.failed, run.details["pushes"]) for run in folded] == [
            ("daily", 2, 2, 2)
        ] * 3
        assert [run.details["cursor"] for run in folded] == ["5", "3", "1"]
        assert fold(any_desk.context) == 0
        any_desk.push(notes, "late")
        assert fold(any_desk.context) == 0
        assert len(any_desk.runs_of(notes)) == 4


class TestPushesThatWait:
    """While another writes to the store, pushes stand in line; then they share a transaction."""

    @pytest.fixture
    def transactions(self, monkeypatch: pytest.MonkeyPatch) -> list[int]:
        """Grow by one with each transaction of pushes."""
        seen: list[int] = []
        real = pushing.transact

        def transact(engine: Any, work: Any) -> Any:
            seen.append(len(seen))
            return real(engine, work)

        monkeypatch.setattr(pushing, "transact", transact)
        return seen

    @staticmethod
    def all_at_once(desk: Desk, pushes: list[Callable[[], Any]]) -> list[Any]:
        """Make pushes wait behind a writer, in their order, and return what came of each.

        The first waits for the store by itself; all others have one turn together.
        """
        line, came = pushing.line_into(desk.engine), [None] * len(pushes)

        def go(number: int) -> None:
            try:
                came[number] = pushes[number]()
            except Exception as error:
                came[number] = error

        threads = [threading.Thread(target=go, args=(number,)) for number in range(len(pushes))]
        with writing(desk.engine):
            for number, thread in enumerate(threads):
                thread.start()
                wait_for(
                    lambda number=number: len(line) == number and line.is_busy,
                    seconds=30,
                    what="a place in line",
                )
        for thread in threads:
            thread.join(60)
        return came

    def test_are_each_what_they_would_be_alone(self, desk: Desk, transactions: list[int]) -> None:
        """Refused ones store nothing, of one id the first counts, and every document is there once."""
        notes, others = desk.pushed_to(), desk.pushed_to("others")
        paused = desk.pushed_to("paused")
        stale = desk.again(paused)
        with writing(desk.engine) as connection:
            connectors.change(connection, paused.pk, paused=True)
        talk = {"external_id": "talk", "audio_url": "https://example.org/talk.mp3"}
        came = self.all_at_once(
            desk,
            [
                lambda: desk.push(others, "first"),
                lambda: desk.push(notes, "a", "b", cursor="1", cursor_before=None),
                lambda: push(desk.context, stale, [{"external_id": "p", "text": "t"}]),
                lambda: desk.push(notes, "c", cursor="x", cursor_before="0"),
                lambda: desk.push(
                    notes, "b", "d", {"external_id": "e", "text": ""}, cursor="2", cursor_before="1"
                ),
                lambda: desk.push(others, "a", talk),
            ],
        )
        assert len(transactions) == 2
        assert isinstance(came[2], PushRejected)
        assert isinstance(came[3], Conflict)
        done = [one for one in came if isinstance(one, pushing.Pushed)]
        assert [(one.indexed, one.skipped, len(one.errors), one.transcriptions) for one in done] == [
            (1, 0, 0, 0),
            (2, 0, 0, 0),
            (1, 1, 1, 0),
            (1, 0, 0, 1),
        ]
        assert [run.id for run in desk.runs_of(notes)] == [came[4].run_id, came[1].run_id]
        assert desk.runs_of(paused) == []
        assert desk.again(notes).cursor == "2"
        assert desk.shown() == {"a", "b", "d", "first"}
        assert desk.fact("talk", "state") == "pending"
        desk.check_index()

    def test_may_change_what_one_of_them_has_just_brought(self, desk: Desk, transactions: list[int]) -> None:
        """With upsert the later text is found and the earlier one is not, and the document is one."""
        notes = desk.pushed_to(documentSemantics="upsert")
        talk = {"external_id": "b", "audio_url": "https://example.org/talk.mp3"}
        came = self.all_at_once(
            desk,
            [
                lambda: desk.push(notes, "first"),
                lambda: desk.push(
                    notes, {"external_id": "a", "text": "early"}, {"external_id": "b", "text": "said"}
                ),
                lambda: desk.push(notes, {"external_id": "a", "text": "late"}, talk),
                lambda: desk.push(notes, {"external_id": "a", "text": "last"}),
            ],
        )
        assert len(transactions) == 2
        assert [one.indexed for one in came] == [1, 2, 1, 1]
        assert [bool(desk.search(word)) for word in ("early", "late", "last", "said")] == [
            False,
            False,
            True,
            False,
        ]
        desk.check_index()

    def test_are_tried_one_by_one_after_what_they_shared_has_failed(
        self, desk: Desk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Only the one whose fault it is gets the error, and leaves no trace."""
        notes, broken = desk.pushed_to(), desk.pushed_to("broken")
        change = connectors.change

        def fail(connection: Any, pk: int, **values: Any) -> None:
            if pk == broken.pk:
                raise OSError("the power is gone")
            change(connection, pk, **values)

        monkeypatch.setattr(connectors, "change", fail)
        came = self.all_at_once(
            desk,
            [
                lambda: desk.push(notes, "first"),
                lambda: desk.push(notes, "a"),
                lambda: desk.push(broken, "b"),
                lambda: desk.push(notes, "c"),
            ],
        )
        assert isinstance(came[2], OSError)
        assert desk.shown() == {"first", "a", "c"}
        assert desk.runs_of(broken) == []
        assert len(desk.runs_of(notes)) == 3
        desk.check_index()
