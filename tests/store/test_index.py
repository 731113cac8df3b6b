"""Writing the index: documents, chunks and words stay one."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, func, select
from sqlalchemy.exc import DatabaseError

from catchment.core.ids import new_short_id
from catchment.store import meta
from catchment.store.engine import reading, writing
from catchment.store.tables import CHUNK_BITS, chunks
from tests.support.library import NOW, Library, check_index, entry


def chunks_of(engine: Engine, pk: int) -> list[Any]:
    """The rows of a document's chunks, in order."""
    with reading(engine) as connection:
        return list(
            connection.execute(
                select(chunks)
                .where(chunks.c.id.between(pk << CHUNK_BITS, ((pk + 1) << CHUNK_BITS) - 1))
                .order_by(chunks.c.id)
            )
        )


class TestUpsert:
    @pytest.mark.parametrize("size", [1, 7, 100, 10_000])
    def test_keeps_the_whole_text_in_its_chunks(self, library: Library, size: int) -> None:
        """The chunks put together are the text, to the character, whatever is searched in its place."""
        text = "def getUserName():\n\treturn '混凝土'  # Überlauf 🤣\r\n\n" * 20
        pk = library.add(text, chunks=size, content_type="text/x-python")
        rows = chunks_of(library.engine, pk)
        assert "".join(row.text for row in rows) == text
        assert [row.start for row in rows] == list(range(0, len(text), size))
        assert (library.row(pk).characters, library.row(pk).chunks) == (len(text), len(rows))
        check_index(library.engine)

    def test_takes_a_document_of_thousands_of_chunks(self, library: Library) -> None:
        """A long document lies in one stretch and does not run into its neighbour."""
        long = library.add("".join(f"w{number:05d} " for number in range(3000)), chunks=7)
        after = library.add("neighbour")
        assert len(chunks_of(library.engine, long)) == 3000
        assert library.found("w02999") == [long]
        library.rewrite(long, "short")
        assert len(chunks_of(library.engine, long)) == 1
        assert library.found("w02999") == []
        assert library.found("neighbour") == [after]
        check_index(library.engine)

    def test_gives_an_empty_document_one_place_for_its_title(self, library: Library) -> None:
        """No text is no error: the title is found, and the document counts no chunks."""
        pk = library.add("", title="Blank sheet", notes=["no text: scanned"])
        assert [(row.start, row.text) for row in chunks_of(library.engine, pk)] == [(0, "")]
        assert (library.row(pk).characters, library.row(pk).chunks) == (0, 0)
        assert library.row(pk).notes == ["no text: scanned"]
        assert library.found("blank") == [pk]

    def test_in_place_keeps_the_id_and_forgets_the_old_words(self, library: Library) -> None:
        """A new version is the same document with other words."""
        pk = library.add("old words", title="Old name", path="old.txt")
        before = library.row(pk)
        library.rewrite(pk, "new text", title="New name", path="new.txt", tags=("t",), author="Ann")
        after = library.row(pk)
        assert (after.pk, after.id) == (before.pk, before.id)
        assert (after.title, after.tags, after.author) == ("New name", ["t"], "Ann")
        assert after.indexed_at > before.indexed_at
        assert library.found("old") == []
        assert library.found("new") == [pk]
        check_index(library.engine)

    def test_takes_new_and_known_documents_in_any_order(self, library: Library) -> None:
        """A batch may be mixed and unsorted."""
        known = [library.add(f"first{number}") for number in range(4)]
        with writing(library.engine) as connection:
            fresh = meta.allocate_pks(connection, 3)
            batch = [entry(pk, f"second{pk}", is_new=False) for pk in (known[3], known[0])]
            for pk in (fresh + 2, fresh):
                made = entry(pk, f"second{pk}")
                library.add_item(connection, made)
                batch.insert(1, made)
            library.index.upsert(connection, batch, now=NOW)
        for pk in (known[3], known[0], fresh + 2, fresh):
            assert library.found(f"second{pk}") == [pk]
        assert library.found("first0") == library.found("first3") == []
        assert library.found("first1") == [known[1]]
        check_index(library.engine)

    def test_of_nothing_does_nothing(self, library: Library) -> None:
        """An empty batch is no error."""
        with writing(library.engine) as connection:
            library.index.upsert(connection, [], now=NOW)
            assert library.index.remove(connection, [], now=NOW) == 0
        check_index(library.engine)

    def test_keeps_facts_and_warnings(self, library: Library) -> None:
        """What the parser noticed stands on the document."""
        pk = library.add("x", metadata={"pages": "3"}, notes=["a"], warnings=["b"], created_at=7.0)
        row = library.row(pk)
        assert (row.metadata, row.notes, row.created_at) == ({"pages": "3"}, ["a", "b"], 7.0)

    def test_that_is_rolled_back_leaves_no_words(self, library: Library) -> None:
        """Words, chunks and document come and go with the transaction."""
        pk = library.add("kept")
        with pytest.raises(ZeroDivisionError), writing(library.engine) as connection:
            library.index.upsert(connection, [entry(pk, "lost", is_new=False)], now=NOW)
            raise ZeroDivisionError
        assert library.found("lost") == []
        assert library.found("kept") == [pk]
        check_index(library.engine)


class TestRemove:
    def test_leaves_a_tombstone_without_text(self, library: Library) -> None:
        """The document's id, title and time of removal stay; its text does not."""
        pk = library.add("secret words", title="Plan")
        identity = library.row(pk).id
        assert library.remove(pk) == 1
        row = library.row(pk)
        assert (row.id, row.title, row.deleted_at, row.chunks) == (identity, "Plan", NOW + 2, 0)
        assert chunks_of(library.engine, pk) == []
        assert library.found("secret") == library.found("plan") == []
        check_index(library.engine)

    def test_counts_what_was_there(self, library: Library) -> None:
        """Removing twice, or what never was, counts once and moves no tombstone."""
        first, second, kept = (library.add(f"text {number}") for number in range(3))
        assert library.remove(second, first, 999, first) == 2
        stone = library.row(first).deleted_at
        assert library.remove(first, second) == 0
        assert library.row(first).deleted_at == stone
        assert library.found("text") == [kept]

    def test_is_undone_by_the_next_version_under_the_same_id(self, library: Library) -> None:
        """A document that returns is the document that left."""
        pk = library.add("words")
        identity = library.row(pk).id
        library.remove(pk)
        library.rewrite(pk, "words")
        assert (library.row(pk).id, library.row(pk).deleted_at) == (identity, None)
        assert library.found("words") == [pk]
        check_index(library.engine)


class TestRename:
    def test_changes_what_the_title_finds_and_nothing_else(self, library: Library) -> None:
        """The text is not touched, nor any chunk but the first."""
        pk = library.add("first part, last part", title="Draft", path="notes/draft.txt", chunks=11)
        before = chunks_of(library.engine, pk)
        with writing(library.engine) as connection:
            library.index.rename(connection, pk, title="Final", path="archive/final.txt")
        assert chunks_of(library.engine, pk) == before
        assert library.row(pk).title == "Final"
        assert library.found("draft") == library.found("notes") == []
        assert library.found("final") == library.found("archive") == library.found('"last part"') == [pk]
        check_index(library.engine)

    def test_of_a_tombstone_brings_nothing_back(self, library: Library) -> None:
        """A document that is gone is not found by its new name."""
        pk = library.add("text")
        library.remove(pk)
        with writing(library.engine) as connection:
            library.index.rename(connection, pk, title="Ghost", path="ghost.txt")
        assert library.found("ghost") == []
        check_index(library.engine)


WORDS = st.lists(st.sampled_from(["gauge", "混凝土", "Café", "getUserName", "🤣", "x"]), max_size=8)
STEPS = st.lists(
    st.tuples(st.sampled_from(["write", "write", "remove", "rename"]), st.integers(0, 5), WORDS),
    min_size=1,
    max_size=12,
)


class TestAnySequence:
    @settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(steps=STEPS, size=st.integers(1, 9))
    def test_of_changes_leaves_index_and_table_alike(
        self, library: Library, steps: list[tuple[str, int, list[str]]], size: int
    ) -> None:
        """Whatever is written, renamed and removed, in one batch each, the words are those of the text."""
        with writing(library.engine) as connection:
            first = meta.allocate_pks(connection, 6)
        texts: dict[int, str] = {}
        titles: dict[int, str] = {}
        written: set[int] = set()
        for step, number, words in steps:
            pk, text = first + number, " ".join(words)
            with writing(library.engine) as connection:
                if step == "write":
                    made = entry(
                        pk, text, is_new=pk not in written, title=text, path="", chunks=size,
                        content_type="text/x-python" if number % 2 else "text/plain",
                    )  # fmt: skip
                    if made.is_new:
                        library.add_item(connection, made)
                    library.index.upsert(connection, [made], now=NOW)
                    texts[pk] = titles[pk] = text
                    written.add(pk)
                elif step == "remove":
                    removed = library.index.remove(connection, [pk, first + 99], now=NOW)
                    assert removed == (pk in texts)
                    texts.pop(pk, None)
                elif pk in written:
                    library.index.rename(connection, pk, title=text, path="")
                    titles[pk] = text
            check_index(library.engine)
        for pk in range(first, first + 6):
            kept = "".join(row.text for row in chunks_of(library.engine, pk))
            assert kept == texts.get(pk, "")
        named = {pk for pk in texts if "gauge" in titles[pk]}
        assert named <= set(library.found("gauge", limit=100))
        library.remove(*texts)

    def test_the_check_itself_can_fail(self, library: Library) -> None:
        """A word that is in the table and not in the index is noticed."""
        pk = library.add("gauge")
        with writing(library.engine) as connection:
            connection.execute(chunks.update().where(chunks.c.id == pk << CHUNK_BITS).values(text="other"))
        with pytest.raises((DatabaseError, AssertionError), match=r"malformed|checksum mismatch"):
            check_index(library.engine)


class TestPermissions:
    def test_are_replaced_as_a_whole(self, library: Library) -> None:
        """No row of the old list survives, and a doubled entry is one row."""
        pk = library.add("gauge", acl="source")
        library.allow(pk, [("user", "ann"), ("user", "ann"), ("group", "ops")])
        library.allow(pk, [("user", "ben")], public=True)
        with reading(library.engine) as connection:
            rows = connection.exec_driver_sql("SELECT kind, subject FROM document_access").all()
        assert rows == [("user", "ben")]
        assert library.row(pk).public


def test_ids_of_documents_are_short_and_never_alike(library: Library) -> None:
    """The short id is the only name that people copy."""
    ids = {new_short_id() for _ in range(1000)}
    assert len(ids) == 1000
    assert {len(one) for one in ids} == {16}


def test_the_text_is_kept_once(library: Library) -> None:
    """Plain text is stored in its chunks alone; only what is searched differently has a second form."""
    plain = library.add("plain text")
    accents = library.add("Überlauf “quoted”")
    spaced = library.add("混凝土")
    with reading(library.engine) as connection:
        second = connection.execute(
            select(chunks.c.id, func.length(chunks.c.search_text)).where(chunks.c.search_text.is_not(None))
        ).all()
    # PostgreSQL keeps the words themselves, and needs no second text for them.
    keeps = [spaced] if library.engine.dialect.name == "sqlite" else []
    assert [row[0] >> CHUNK_BITS for row in second] == keeps
    assert library.found("plain") == [plain]
    assert library.found("quoted") == [accents]


def test_words_are_not_merged_with_every_load(sqlite: Engine) -> None:
    """Merging writes them all once more: 20 transactions stand side by side, and every document is found."""
    library = Library(sqlite)
    written = [library.add("gauge") for _ in range(20)]
    with reading(sqlite) as connection:
        segments = connection.exec_driver_sql("SELECT count(DISTINCT segid) FROM chunks_fts_idx").scalar_one()
    assert segments == 20
    assert library.found("gauge", limit=20) == written


def test_rows_are_the_same_whenever_they_are_worked_out(library: Library) -> None:
    """Drafted ahead of its transaction or in it, known or new: a document becomes the same rows."""
    facts: dict[str, Any] = {
        "title": "Überlauf",
        "path": "dam/spillWay.txt",
        "tags": ("a",),
        "notes": ["no text: scanned"],
    }
    at_once = library.add("get maxFlow\n混凝土", **facts, content_type="text/x-python", chunks=12)
    ahead = library.add("get maxFlow\n混凝土", **facts, content_type="text/x-python", chunks=12, ahead=True)
    with reading(library.engine) as connection:
        both = [
            connection.execute(
                select(*(column for column in chunks.c if column.name != "id"))
                .where(chunks.c.id >= pk << CHUNK_BITS, chunks.c.id < (pk + 1) << CHUNK_BITS)
                .order_by(chunks.c.id)
            ).all()
            for pk in (at_once, ahead)
        ]
    assert len(both[0]) > 1
    assert both[0] == both[1]
    assert library.found("spill way") == library.found("flow") == [at_once, ahead]
