"""Finding documents: words, scripts, filters, ranking, snippets, and queries that nobody expected."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import update

from catchment.store.engine import reading, writing
from catchment.store.index import Hit, SearchRequest, Viewer, index_for
from catchment.store.tables import documents
from catchment.store.words import query_parts
from tests.support.library import Library, add_collection, add_connector

on_one_store = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def marked(hit: Hit) -> list[str]:
    """The stretches of a snippet that are highlighted."""
    return [hit.snippet[start:end] for start, end in hit.highlights]


class TestWords:
    def test_are_found_in_any_case_and_with_or_without_accents(self, library: Library) -> None:
        """Case and diacritics make no difference, in text and query alike."""
        pk = library.add("Der Überlauf am Café, und ein naïve Łódź")
        for query in ("überlauf", "UBERLAUF", "Überlauf", "cafe", "CAFÉ", "U\u0308berlauf", "naive"):
            assert library.found(query) == [pk], query

    def test_must_all_stand_in_the_chunk_where_some_chunk_has_them_all(self, library: Library) -> None:
        """Two words mean both, as long as that finds something."""
        both = library.add("pump and valve")
        library.add("pump alone")
        library.add("valve alone")
        assert library.found("pump valve") == [both]

    def test_of_a_phrase_do_not_reach_from_the_title_into_the_text(self, library: Library) -> None:
        """The end of a title and the beginning of its text are no neighbours."""
        pk = library.add("gate of the weir", title="Relief", path="")
        assert library.found("relief gate") == [pk]
        assert library.found('"relief gate"') == []

    def test_are_taken_singly_where_no_chunk_has_them_all(self, library: Library) -> None:
        """A word too many does not make everything vanish."""
        one, other = library.add("pump alone"), library.add("valve alone")
        assert sorted(library.found("pump valve turbine")) == [one, other]

    def test_in_quotes_stand_side_by_side(self, library: Library) -> None:
        """A phrase is its words in this order, without others between them."""
        pk = library.add("open the relief gate now")
        library.add("the gate of relief")
        assert library.found('"relief gate"') == [pk]
        assert library.found('"relief gate') == [pk]  # the closing quote was forgotten
        assert library.found('"gate relief" now') == [pk]  # no such phrase: what is left decides

    def test_with_an_asterisk_are_beginnings(self, library: Library) -> None:
        """An asterisk at the end, and only there, asks for all words that begin so."""
        pk = library.add("chlorination and chlorine")
        assert library.found("chlor*") == [pk]
        assert library.found("chlor") == []
        assert marked(library.search("chlor*")[0]) == ["chlor", "chlor"]

    def test_of_the_title_and_of_the_file_name_count(self, library: Library) -> None:
        """A document is found by what it is called, at the source too."""
        pk = library.add("nothing of note", title="Night shift", path="handbook/relief_gate-2024.pdf")
        for query in ("night shift", "relief", "gate 2024", "handbook", "pdf", "relief_gate", "night gate"):
            assert library.found(query) == [pk], query

    def test_of_the_title_weigh_more(self, library: Library) -> None:
        """What is named after the word comes before what mentions it."""
        library.add("the turbine " + "and other things " * 5)
        named = library.add("and other things " * 5, title="Turbine")
        for _ in range(5):
            library.add("without it")
        assert library.found("turbine")[0] == named

    def test_of_a_document_without_text_are_those_of_its_title(self, library: Library) -> None:
        """A scan or a film is found by its name; its title stands in for the snippet."""
        pk = library.add("", title="Aerial view of the weir", content_type="image/png")
        assert library.found("weir") == [pk]
        hit = library.search("aerial")[0]
        assert hit.snippet == "Aerial view of the weir"
        assert marked(hit) == ["Aerial"]

    def test_do_not_match_the_names_of_places(self, library: Library) -> None:
        """The column that filters read is never searched."""
        library.add("some text")
        assert library.found("c1") == library.found("k1") == library.found("c*") == []


class TestScripts:
    @pytest.mark.parametrize(
        ("text", "queries"),
        [
            ("混凝土大坝的安全监测", ["混凝土", "大坝", "安全", "监测", "大坝的安全"]),
            ("ダムの水位をコンクリートで測る", ["水位", "コンクリート", "ダム", "測る"]),
            ("댐의 수위를 매일 측정합니다", ["수위", "측정", "매일"]),
            ("การวัดระดับน้ำในเขื่อน", ["ระดับ", "น้ำ", "เขื่อน"]),
            ("مستوى المياه في السد", ["المياه", "السد"]),
            ("مُسْتَوَى المِيَاه ومحـــمد", ["مستوى", "المياه", "ومحمد"]),
            ("הוֹדָעָה על המים", ["הודעה", "המים"]),
            ("Уровень воды в реке", ["уровень", "ВОДЫ"]),
            ("Στάθμη του νερού", ["σταθμη", "ΣΤΑΘΜΗ", "ΝΕΡΟΎ"]),
            ("ὁ νόμος, ΝΟΜΟΣ", ["νομος", "νόμος", "ο νομοσ"]),
            ("зелёный", ["зеленый", "ЗЕЛЁНЫЙ"]),
            ("नदी का जलस्तर", ["नदी", "जलस्तर"]),
            ("mực nước sông Đồng Nai", ["nuoc", "sông", "nai"]),
            ("Donau\u00addampf\u00adschiff", ["donaudampfschiff"]),
            ("𠮷野家と叱る", ["𠮷野", "叱"]),
        ],
    )
    def test_are_found_by_their_words(self, library: Library, text: str, queries: list[str]) -> None:
        """Every script is found by words as its readers type them."""
        pk = library.add(f"before {text} after")
        for query in queries:
            assert library.found(query) == [pk], query

    def test_without_spaces_do_not_match_scattered_characters(self, library: Library) -> None:
        """Two characters typed together stand together in the text."""
        library.add("大的水坝")
        assert library.found("大坝") == []

    def test_show_where_the_word_stands(self, library: Library) -> None:
        """Highlights cover the word as it is written, no more and no less."""
        library.add("混凝土大坝的安全监测")
        library.add("하고 한국 하늘")
        library.add("кони и он")
        library.add("ein Café, zwei Cafés")
        assert marked(library.search("大坝")[0]) == ["大坝"]
        assert marked(library.search("한국")[0]) == ["한국"]
        assert marked(library.search("он")[0]) == ["он"]
        assert marked(library.search("cafe")[0]) == ["Café"]

    @pytest.mark.parametrize("letter", ["\u19b0", "\u19c9", "\u1cf2"])
    def test_letters_younger_than_the_tables_of_the_index_are_words(
        self, library: Library, letter: str
    ) -> None:
        """Alone, and as a part of a word."""
        alone, within = library.add(f"one {letter}: two"), library.add(f"\u1982{letter}\u1983 three")
        assert library.found(letter) == [alone]
        assert library.found(f"\u1982{letter}\u1983") == [within]

    @pytest.mark.parametrize("sign", ["🤣", "\u2069", "₽", "🫠", "😀", "→", "€", "\u200b", "—", "🇨🇭", "👩‍🔬"])
    def test_end_where_a_sign_begins(self, library: Library, sign: str) -> None:
        """Emoji, currencies and invisible marks beside a word do not become part of it."""
        pk = library.add(f"good job{sign} and {sign}well{sign}done")
        for query in ("job", "well", "done", f"job{sign}", f'"well{sign}done"'):
            assert library.found(query) == [pk], query


class TestCode:
    @pytest.mark.parametrize(
        "query",
        [
            "getUserName",
            "getusername",
            "user name",
            "userName",
            "get user",
            "max_bytes",
            "bytes",
            "HTTPServer",
        ],
    )
    def test_is_found_by_its_identifiers_and_by_their_parts(self, library: Library, query: str) -> None:
        """An identifier is found whole, by its parts, and by a part that is itself an identifier."""
        pk = library.add(
            "def getUserName(self): return max_bytes; HTTPServer()", content_type="text/x-python"
        )
        library.add("nothing of the kind")
        assert library.found(query) == [pk]

    def test_file_names_are_split_as_well(self, library: Library) -> None:
        """GaugeReader.java is found by the words that it is made of."""
        pk = library.add("class body", path="src/GaugeReader.java", content_type="text/x-java")
        assert library.found("gauge reader") == [pk]

    def test_identifiers_in_prose_are_not_split(self, library: Library) -> None:
        """Outside code an identifier is one word, so that prose is not filled with invented ones."""
        pk = library.add("call getUserName", content_type="text/markdown")
        assert library.found("name") == []
        assert library.found("getUserName") == [pk]


class TestFilters:
    def test_by_connector_and_collection(self, library: Library) -> None:
        """Only documents of the named places; none named means none."""
        other_collection = add_collection(library.engine, "Other")
        other = add_connector(library.engine, "other", collection_pk=other_collection)
        here = library.add("level gauge")
        there = library.add("level gauge", connector_pk=other, collection_pk=other_collection)
        assert library.found("gauge", connector_pks=(library.connector_pk,)) == [here]
        assert library.found("gauge", connector_pks=(other,)) == [there]
        assert library.found("gauge", collection_pks=(other_collection,)) == [there]
        assert sorted(library.found("gauge", connector_pks=(library.connector_pk, other))) == [here, there]
        assert library.found("gauge", connector_pks=(other,), collection_pks=(1,)) == []
        assert library.found("gauge", connector_pks=()) == library.found("gauge", collection_pks=()) == []

    def test_by_connector_hold_for_each_word_when_words_are_taken_singly(self, library: Library) -> None:
        """The fallback to any word does not fall out of the place."""
        other = add_connector(library.engine, "other")
        library.add("pump", connector_pk=other)
        here = library.add("valve")
        assert library.found("pump valve", connector_pks=(library.connector_pk,)) == [here]

    def test_by_type_author_and_tags(self, library: Library) -> None:
        """Any of the types, any of the authors, every one of the tags."""
        note = library.add("gauge", content_type="text/plain", author="Ann", tags=("wet", "old"))
        page = library.add("gauge", content_type="text/html", author="Ben", tags=("wet",))
        assert library.found("gauge", content_types=("text/html",)) == [page]
        assert sorted(library.found("gauge", content_types=("text/html", "text/plain"))) == [note, page]
        assert library.found("gauge", authors=("Ann",)) == [note]
        assert sorted(library.found("gauge", tags=("wet",))) == [note, page]
        assert library.found("gauge", tags=("wet", "old")) == [note]
        assert library.found("gauge", tags=("we",)) == []
        assert library.found("gauge", authors=("Ann",), tags=("wet",), content_types=("text/html",)) == []

    def test_by_any_tag_and_by_facts(self, library: Library) -> None:
        """One of the tags is enough; a fact has one of the values, or has it among its own."""
        one = library.add("gauge", tags=("wet",), metadata={"language": "de"})
        other = library.add("gauge", tags=("dry",), metadata={"language": ["en", "fr"]})
        library.add("gauge", metadata={"language": {"de": 1}})
        assert sorted(library.found("gauge", any_tags=("wet", "dry"))) == [one, other]
        assert library.found("gauge", any_tags=("dry", "\ud800")) == [other]
        assert library.found("gauge", facts=(("language", ("de", "it")),)) == [one]
        assert library.found("gauge", facts=(("language", ("fr",)),)) == [other]
        assert library.found("gauge", facts=(("language", ("de",)), ("department", ("x",)))) == []
        assert library.found("gauge", facts=(("language", ("\ud800",)),)) == []

    def test_by_number_alone(self, library: Library) -> None:
        """Matches are the numbers of what a search finds, in its order, from the first one on."""
        for text in ("gauge gauge", "gauge and pump", "pump"):
            library.add(text)
        request = SearchRequest("gauge pump", offset=1)
        with reading(library.engine) as connection:
            index = index_for(library.engine.dialect.name)
            assert len(index.matches(connection, request)) == 1
            found = index.matches(connection, SearchRequest("gauge"))
        assert found == library.found("gauge")

    def test_by_time_take_the_first_moment_and_leave_the_last(self, library: Library) -> None:
        """Since is included, until is not; what has no time lies outside both."""
        early, late = library.add("gauge", modified_at=100.0), library.add("gauge", modified_at=200.0)
        timeless = library.add("gauge")
        assert library.found("gauge", since=200.0) == [late]
        assert library.found("gauge", until=200.0) == [early]
        assert library.found("gauge", since=100.0, until=200.0) == [early]
        assert sorted(library.found("gauge")) == [early, late, timeless]

    def test_narrow_before_anything_is_ranked(self, library: Library) -> None:
        """A document that a hundred better ones surround is found through the filter."""
        other = add_connector(library.engine, "other")
        for _ in range(100):
            library.add("gauge gauge gauge", author="Ben")
        pk = library.add("gauge " + "words around it " * 50, connector_pk=other, author="Ann")
        assert library.found("gauge", limit=1, connector_pks=(other,)) == [pk]
        assert library.found("gauge", limit=1, authors=("Ann",)) == [pk]


class TestViewers:
    @pytest.fixture
    def secret(self, library: Library) -> int:
        return library.add("gauge", acl="source")

    def test_see_nothing_of_a_source_with_access_lists_until_one_names_them(
        self, library: Library, secret: int
    ) -> None:
        """Without an access row a document is hidden from everybody but the operator."""
        assert library.found("gauge") == [secret]
        for viewer in (Viewer(), Viewer((("user", "ann"),)), Viewer((("user", ""), ("", "")))):
            assert library.found("gauge", viewer=viewer) == []

    def test_see_what_names_them_and_only_that(self, library: Library, secret: int) -> None:
        """Kind and subject must both fit, in one and the same row."""
        library.allow(secret, [("user", "ann"), ("group", "ops"), ("user", "ann")])
        assert library.found("gauge", viewer=Viewer((("user", "ann"),))) == [secret]
        assert library.found("gauge", viewer=Viewer((("user", "ben"), ("group", "ops")))) == [secret]
        for subjects in ((("group", "ann"),), (("user", "ops"),), (("user", "ANN"),), (("user", "an%"),)):
            assert library.found("gauge", viewer=Viewer(subjects)) == []

    def test_lose_sight_when_the_list_is_replaced(self, library: Library, secret: int) -> None:
        """A new access list stands in place of the old one, not beside it."""
        library.allow(secret, [("user", "ann")], public=True)
        library.allow(secret, [("user", "ben")])
        assert library.found("gauge", viewer=Viewer((("user", "ann"),))) == []
        assert library.found("gauge", viewer=Viewer((("user", "ben"),))) == [secret]

    def test_see_public_documents_and_those_without_access_lists(self, library: Library, secret: int) -> None:
        """Public on proof, or a source that knows no lists: everybody who may search."""
        library.allow(secret, public=True)
        free = library.add("gauge", acl="none")
        assert sorted(library.found("gauge", viewer=Viewer())) == [secret, free]

    def test_see_nothing_of_an_unknown_kind_of_list(self, library: Library) -> None:
        """A word that this program does not know hides the document."""
        library.add("gauge", acl="new")
        assert library.found("gauge", viewer=Viewer((("user", "ann"),))) == []

    def test_keep_what_they_see_when_the_text_changes(self, library: Library, secret: int) -> None:
        """A new text neither opens nor closes a document."""
        library.allow(secret, [("user", "ann")])
        library.rewrite(secret, "gauge again", acl="source")
        assert library.found("again", viewer=Viewer((("user", "ann"),))) == [secret]
        assert library.found("again", viewer=Viewer((("user", "ben"),))) == []


class TestHits:
    def test_tell_everything_about_the_document(self, library: Library) -> None:
        """A hit carries what a face shows, without another query."""
        pk = library.add("The gauge", title="Gauges", author="Ann", modified_at=5.0)
        (hit,) = library.search("gauge")
        assert hit.document_id == library.row(pk).id
        assert (hit.connector_pk, hit.key, hit.title) == (library.connector_pk, f"key-{pk}", "Gauges")
        assert (hit.url, hit.content_type) == (f"https://example.org/{pk}", "text/plain")
        assert (hit.author, hit.modified_at, hit.stale) == ("Ann", 5.0, False)

    def test_say_that_a_document_is_stale(self, library: Library) -> None:
        """The old text of a version that failed is found, and marked."""
        pk = library.add("gauge")
        with writing(library.engine) as connection:
            connection.execute(update(documents).where(documents.c.pk == pk).values(stale=True))
        assert library.search("gauge")[0].stale
        library.rewrite(pk, "gauge")
        assert not library.search("gauge")[0].stale

    def test_score_between_nothing_and_one_best_first(self, library: Library) -> None:
        """Scores descend, and lie in 0 to 1 whatever the words are."""
        for count in range(1, 30):
            library.add("gauge " * count + "filler " * (60 - count))
        for query in ("gauge", "gauge filler", "gauge missing", "fil*"):
            scores = [hit.score for hit in library.search(query, limit=100)]
            assert len(scores) == 29
            assert scores == sorted(scores, reverse=True)
            assert all(0.0 <= score <= 1.0 for score in scores)

    def test_are_one_for_each_document_by_its_best_chunk(self, library: Library) -> None:
        """However many chunks match, the document comes once, where it fits best."""
        pk = library.add("gauge and much else     " + "gauge gauge gauge gauge " + "other", chunks=24)
        single = library.add("the gauge of a single document")
        for _ in range(20):
            library.add("nothing")
        hits = library.search("gauge")
        assert sorted(int(hit.key.removeprefix("key-")) for hit in hits) == [pk, single]
        best = next(hit for hit in hits if hit.key == f"key-{pk}")
        assert marked(best) == ["gauge"] * 4

    def test_of_other_documents_are_reached_past_one_long_document(self, library: Library) -> None:
        """One document with hundreds of matching chunks does not fill the page alone."""
        long = library.add("gauge gauge gauge " * 500, chunks=18)
        others = [library.add("one gauge among other words here " * 3) for _ in range(5)]
        assert sorted(library.found("gauge", limit=6)) == [long, *others]

    def test_are_paged_without_doubles_and_gaps(self, library: Library) -> None:
        """Page after page gives the order of one long page, ties included."""
        for number in range(37):
            library.add("gauge " * (number % 4 + 1) + "x " * 9, chunks=30)
        whole = library.found("gauge", limit=100)
        pages = [library.found("gauge", limit=5, offset=offset) for offset in range(0, 45, 5)]
        assert [pk for page in pages for pk in page] == whole
        assert len(set(whole)) == 37
        assert library.found("gauge", limit=5, offset=1000) == []

    def test_beyond_the_last_page_do_not_come_from_the_fallback(self, library: Library) -> None:
        """Paging goes on with the same meaning of the query."""
        library.add("pump valve")
        library.add("pump")
        assert library.found("pump valve", offset=1) == []

    def test_leave_out_what_was_removed(self, library: Library) -> None:
        """A document is gone from search with its removal, and comes back with its text."""
        pk = library.add("gauge")
        library.remove(pk)
        assert library.found("gauge") == []
        library.rewrite(pk, "gauge")
        assert library.found("gauge") == [pk]


class TestSnippets:
    def test_show_the_surroundings_of_the_first_match(self, library: Library) -> None:
        """Long texts are cut around the match at words, with signs for what was left out."""
        library.add("lead " * 200 + "the hidden gauge stands here " + "tail " * 200)
        (hit,) = library.search("gauge")
        assert marked(hit) == ["gauge"]
        assert hit.snippet.startswith("… ") and hit.snippet.endswith(" …")
        assert "the hidden gauge stands here" in hit.snippet
        assert len(hit.snippet) <= 250
        assert set(hit.snippet.strip("… ").split()) <= {
            "lead",
            "the",
            "hidden",
            "gauge",
            "stands",
            "here",
            "tail",
        }

    def test_mark_phrases_whole_and_words_singly(self, library: Library) -> None:
        """What is marked is what was asked for."""
        library.add("Relief gate; the relief\ngate. A gate.")
        assert marked(library.search('"relief gate"')[0]) == ["Relief gate", "relief gate"]
        assert marked(library.search("gate relief")[0]) == ["Relief", "gate", "relief", "gate", "gate"]
        assert marked(library.search("gate")[0]) == ["gate"] * 3

    def test_fold_white_space(self, library: Library) -> None:
        """Line breaks and indents of the source do not tear the snippet apart."""
        library.add("a\n\n   gauge\t\tstands  \n")
        assert library.search("gauge")[0].snippet == "a gauge stands"

    def test_of_one_sign_repeated_do_not_take_for_ever(self) -> None:
        """A phrase of a sign that also fills the text is matched in one pass."""
        script = (
            "from catchment.store.snippets import snippet\n"
            "from catchment.store.words import query_parts\n"
            "query = '\"' + '\\ue000 ' * 30 + 'z\"'\n"
            "print(snippet('\\ue000 ' * 3000, query_parts(query))[1])\n"
        )
        # A process, because a pattern that backtracks lets no other thread end it.
        told = subprocess.run(
            [sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False
        )
        assert told.stdout == "[]\n", told.stderr

    @on_one_store
    @given(text=st.text(max_size=400), word=st.text(min_size=1, max_size=4))
    def test_highlight_inside_themselves(self, text: str, word: str) -> None:
        """Offsets never leave the snippet, never overlap and never come empty."""
        from catchment.store.snippets import snippet

        shown, highlights = snippet(f"{text} {word} {text}", query_parts(word), width=60)
        before = 0
        for start, end in highlights:
            assert before <= start < end <= len(shown)
            before = end


LETTERS = st.characters(categories=["L", "N"])
# The stretching line and two signs for readers of the Koran are letters to Unicode, and ignored by readers
# as by the index: docs/search.md says so. A word of nothing else is no word.
UNREAD = "\u0640\u06e5\u06e6"
WORDS = st.text(LETTERS, min_size=1, max_size=12).filter(lambda word: word.strip(UNREAD))
# Punctuation of the scripts of antiquity, beyond U+FFFF, is taken for letters: docs/search.md says so.
SIGNS = st.characters(
    categories=["P", "S", "Zs", "Zl", "Zp", "Cc"], exclude_characters='\0_"*', max_codepoint=0xFFFF
)
GAPS = st.text(SIGNS | st.sampled_from(" \n,.-🤣₽"), min_size=1, max_size=3)


class TestAnything:
    @on_one_store
    @given(data=st.data(), words=st.lists(WORDS, min_size=1, max_size=6))
    def test_that_was_indexed_is_found_by_each_of_its_words(
        self, library: Library, data: st.DataObject, words: list[str]
    ) -> None:
        """Whatever the script, a word of the text finds the document."""
        text = "".join(word + data.draw(GAPS) for word in words)
        pk = library.add(text, title="", path="")
        try:
            for word in words:
                assert pk in library.found(word, limit=100), (text, word)
        finally:
            library.remove(pk)

    @on_one_store
    @given(query=st.text(max_size=60))
    def test_may_be_searched_for(self, library: Library, query: str) -> None:
        """No query raises, whatever it is made of."""
        for found in (library.search(query), library.search(f'"{query}', tags=(query,), authors=(query,))):
            assert isinstance(found, list)

    @pytest.mark.parametrize(
        "query",
        [
            "",
            " ",
            "*",
            '"',
            '""',
            "AND",
            "gauge AND",
            "gauge OR NOT level",
            "NEAR(gauge level, 2)",
            "title:gauge",
            "{title body}: gauge",
            "place : c1",
            "^gauge",
            "gauge + level",
            "-gauge",
            "(gauge",
            "gauge)",
            "'gauge'; DROP TABLE chunks; --",
            'gauge" OR "level',
            '"gauge" * "level"',
            "gauge\0level",
            "gauge \ud800 level",
            "\udfff",
            "🤣 gauge 👩‍🔬",
            "%s %(x)s ? :x $1",
            "gauge " * 200_000,
            "x" * 1_000_000,
            '"' * 1_000_000,
            "a b c d e f g h i j k l m n o p q r s t u v w x y z " * 4,
            "\u1980\u19b0",
            "_ __ ___",
        ],
        ids=lambda query: repr(query[:20]),
    )
    def test_in_the_language_of_the_index_is_only_words(self, library: Library, query: str) -> None:
        """Operators, columns, quotes and broken text in a query mean nothing, and raise nothing."""
        pk = library.add("and or not near title gauge level")
        assert library.found(query) in ([], [pk])
        if "gauge" in query:
            assert library.found(query) == [pk]

    def test_about_a_place_cannot_widen_the_filter(self, library: Library) -> None:
        """A query cannot leave its place by naming another."""
        other = add_connector(library.engine, "other")
        library.add("gauge", connector_pk=other)
        for query in ("gauge) OR (gauge", f"gauge OR place:c{other}", f'gauge" OR place : "c{other}'):
            assert library.found(query, connector_pks=(library.connector_pk,)) == []


def test_a_database_without_an_index_is_refused_by_name() -> None:
    """An unknown engine is an error that names it, not an empty result."""
    with pytest.raises(NotImplementedError, match="oracle"):
        index_for("oracle")


def test_a_request_finds_ten_unless_told_otherwise() -> None:
    """The default page is small."""
    assert SearchRequest("x").limit == 10
