"""Words as PostgreSQL's index takes them."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from catchment.store.engine import reading
from catchment.store.index import SearchRequest
from catchment.store.lexemes import LAST_PLACE, lexemes, place_query, vector, word_query
from catchment.store.migrate import migrate
from catchment.store.words import query_parts
from tests.support.library import Library


class TestLexemes:
    @pytest.mark.parametrize(
        ("text", "words"),
        [
            ("The Relief-Gate, 2024.pdf", ["the", "relief", "gate", "2024", "pdf"]),
            (
                "https://a.example/x?y=1e5 -3.14 0x1F",
                ["https", "a", "example", *"xy", "1e5", "3", "14", "0x1f"],
            ),
            ("Überlauf Café U\u0308ber naïve", ["uberlauf", "cafe", "uber", "naive"]),
            ("snake_case it's", ["snake", "case", "it", "s"]),
            ("ЙОД ΣΊΣΥΦΟΝ", ["йод", "σίσυφον"]),
            ("a\\b 'c' d:1A e&f !g | (h)", [*"abcd", "1a", *"efgh"]),
            ("", []),
        ],
    )
    def test_are_cut_by_us_and_not_by_the_server(self, text: str, words: list[str]) -> None:
        """Addresses, numbers, hyphens and signs are words and gaps, nothing else."""
        assert lexemes(text) == words

    def test_of_a_giant_are_its_beginning(self) -> None:
        """A word that the server would refuse is found by its first five hundred characters."""
        assert lexemes("x" * 3000) == lexemes("x" * 2000) == ["x" * 500]


class TestVector:
    @settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(text=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")), title=st.text())
    def test_is_taken_by_the_server_whatever_the_text(self, postgres: Engine, text: str, title: str) -> None:
        """No text makes a literal that the server does not read as the same words."""
        with reading(postgres) as connection:
            literal = vector(text, title=title, places="=c1")
            taken = connection.exec_driver_sql("SELECT tsvector_to_array(%s::tsvector)", (literal,))
            known = set(taken.scalar_one())
        assert known >= set(lexemes(title)) | {"=c1"}

    def test_of_a_long_chunk_keeps_every_word(self, postgres: Engine) -> None:
        """Places end at 16,383; words do not."""
        text = " ".join(f"w{number}" for number in range(LAST_PLACE + 500))
        with reading(postgres) as connection:
            for title in ("", "name " * 20_000):
                count = connection.exec_driver_sql(
                    "SELECT length(%s::tsvector)", (vector(text, title=title),)
                ).scalar_one()
                assert count == LAST_PLACE + 500 + bool(title)


class TestQueries:
    def test_are_literals_that_name_no_places(self) -> None:
        """What looks like a place or an operator is a word or nothing."""
        assert word_query(query_parts("=c1 & !gate"), "&") == "(('c1')) & (('gate'))"
        assert "=" not in word_query(query_parts("'=c1' | =k2"), "|")

    def test_narrow_by_place(self) -> None:
        """Any of the connectors, and any of the collections; of none, nothing."""
        request = SearchRequest("x", connector_pks=(1, 2), collection_pks=(3,))
        assert place_query(request) == "('=c1' | '=c2') & ('=k3')"
        assert place_query(SearchRequest("x", connector_pks=())) == "('=nowhere')"
        assert place_query(SearchRequest("x")) == ""


def test_both_engines_find_the_same(sqlite: Engine, postgres: Engine) -> None:
    """The same documents, the same queries, the same documents found."""
    migrate(postgres)
    one, other = Library(sqlite), Library(postgres)
    texts = [
        "The relief-gate opens at 3.14 m; see https://example.org/relief_gate?id=42 or mail ann@example.org.",
        "混凝土大坝的安全监测 und Überlauf, naïve Café №5",
        "नदी का जलस्तर बढ़ गया",
        "def getUserName(self): return max_bytes  # HTTPServer",
        "Й й Ё ё Straße İstanbul ǅ ﬁ ½ x² A\u0301B",
        "good job🤣done 👩‍🔬 a\u200bb “quoted” end",
        "word " * 200 + "needle",
    ]
    for text in texts:
        for library in (one, other):
            library.add(text, content_type="text/x-python" if "def " in text else "text/plain")
    words = [word for text in texts for word in text.split()]
    phrases = [f'"{left} {right}"' for left, right in pairwise(words)]
    prefixes = [f"{word[:2]}*" for word in words]
    parts = [word[1:] for word in words]
    for query in {*words, *phrases, *prefixes, *parts, "relief needle", "जल", "जलस", "ß", "strasse"}:
        assert sorted(one.found(query, limit=100)) == sorted(other.found(query, limit=100)), query
