"""Both decoders, against what a real server said and against what they never should see."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from connectors.postgresql.journal import key_values
from connectors.postgresql.pgoutput import UNSENT, Begin, Commit, PgOutput, Touched, Truncated
from connectors.postgresql.textdecoding import TestDecoding

RECORDED = Path(__file__).parents[4] / "shared" / "vendors" / "data" / "postgres" / "recorded"


def recording(name: str) -> dict[str, Any]:
    """A recording of a server's messages; the test is skipped where there is none."""
    path = RECORDED / f"{name}.json"
    if not path.exists():
        pytest.skip("the recordings are not part of the repository")
    loaded: dict[str, Any] = json.loads(path.read_text())
    return loaded


def both(name: str) -> Iterator[list[Any]]:
    """The events of a recording, by each decoder."""
    recorded = recording(name)
    binary, text = PgOutput(), TestDecoding()
    yield [e for m in recorded["pgoutput_v1"] for e in binary.decode(bytes.fromhex(m["hex"]))]
    yield [e for m in recorded["test_decoding"] for e in text.decode(m["data"])]


def keys(events: list[Any], *names: str) -> list[list[list[str]] | None]:
    """The key values of each touched row."""
    return [key_values(event, list(names)) for event in events if isinstance(event, Touched)]


class TestRecordings:
    def test_inserts_updates_and_deletes_are_told_by_key(self) -> None:
        """Both plugins tell the same rows of the same recording."""
        for events in both("default-identity"):
            assert keys(events, "id") == [[["1"]], [["2"]], [["1"]], [["2"]], [["1"]]]
            assert sum(isinstance(event, Commit) for event in events) == 3
            touched = [event for event in events if isinstance(event, Touched)]
            assert {(event.schema, event.table) for event in touched} == {("public", "docs")}

    def test_a_deleted_row_is_named_by_its_identity_only(self) -> None:
        """Nulls of columns that were not sent are no data: another key cannot be told."""
        for events in both("default-identity"):
            assert keys(events, "title")[-1] is None

    def test_full_identity_tells_every_column(self) -> None:
        """With full identity any column names the row, large values that stayed included."""
        for events in both("full-identity-toast"):
            assert keys(events, "id") == [[["1"]], [["1"]], [["1"]]]
            assert keys(events, "title")[1] == [["big"], ["big2"]]

    def test_a_truncation_is_told(self) -> None:
        """TRUNCATE names its tables; messages of applications tell nothing."""
        for events in both("truncate-message"):
            assert [event.tables for event in events if isinstance(event, Truncated)] == [
                (("public", "docs"),)
            ]

    def test_the_place_of_the_commit_is_known_at_the_begin(self) -> None:
        """The binary plugin says with the begin where the commit stands."""
        events = next(both("default-identity"))
        assert events[0] == Begin(0x15297F0)


class TestTextLines:
    @pytest.mark.parametrize(
        ("line", "row"),
        [
            (
                """table public.t: INSERT: id[integer]:1 b[text]:'it''s [x]: y' c[text[]]:'{a,b}'""",
                {"id": "1", "b": "it's [x]: y", "c": "{a,b}"},
            ),
            ("""table public.t: INSERT: a[boolean]:true b[bit varying]:B'101'""", {"a": "true", "b": "101"}),
            ("""table public.t: INSERT: a[text]:null b[numeric]:NaN""", {"a": None, "b": "NaN"}),
            (
                """table public.t: INSERT: a[text]:unchanged-toast-datum b[integer]:2""",
                {"a": UNSENT, "b": "2"},
            ),
            ("""table public.t: INSERT: a[text]:'unchanged-toast-datum'""", {"a": "unchanged-toast-datum"}),
            (
                """table public.t: INSERT: a["my ]type"]:'x' "b c"[text]:'line\nbreak'""",
                {"a": "x", "b c": "line\nbreak"},
            ),
            ("""table "S.x"."t: y": INSERT: a[integer]:-1""", {"a": "-1"}),
        ],
    )
    def test_values_are_read_whatever_they_hold(self, line: str, row: dict[str, object]) -> None:
        """Quotes, brackets and line breaks in values, types and names."""
        (event,) = TestDecoding().decode(line)
        assert isinstance(event, Touched)
        assert dict(event.rows[0]) == row

    def test_a_changed_key_is_two_rows(self) -> None:
        """An update of the key tells the row before and the row after."""
        line = "table a.t: UPDATE: old-key: slug[text]:'one' new-tuple: slug[text]:'uno' x[integer]:1"
        (event,) = TestDecoding().decode(line)
        assert isinstance(event, Touched)
        assert key_values(event, ["slug"]) == [["one"], ["uno"]]
        assert key_values(event, ["x"]) is None

    def test_a_row_that_is_not_told_has_no_key(self) -> None:
        """Without identity a deletion tells nothing."""
        (event,) = TestDecoding().decode("table a.t: DELETE: (no-tuple-data)")
        assert isinstance(event, Touched)
        assert key_values(event, ["id"]) is None

    @pytest.mark.parametrize("line", ["table nope", "table a.t: MERGE: x[int]:1", "table a.t: INSERT: x[int"])
    def test_a_line_that_cannot_be_read_is_an_error(self, line: str) -> None:
        """Nothing is guessed."""
        with pytest.raises(ValueError, match="test_decoding"):
            list(TestDecoding().decode(line))


@pytest.mark.parametrize("message", ["49", "42000000", "4900009999", "49000040014e0001740000ffff31"])
def test_a_message_that_cannot_be_read_is_an_error(message: str) -> None:
    """Truncated messages, and tables that were never described."""
    decoder = PgOutput()
    list(decoder.decode(bytes.fromhex("52000040017075626c696300740064000101696400000000140000ffff")))
    with pytest.raises(ValueError, match="pgoutput"):
        list(decoder.decode(bytes.fromhex(message)))
