"""Reads the lines of the `test_decoding` plugin: which rows of which tables were touched.

Lines such as ``table public.docs: UPDATE: id[bigint]:1 title[text]:'it''s'``. The plugin is part of the
server's contrib modules and needs no publication.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from connectors.postgresql.pgoutput import UNSENT, Begin, Commit, Event, Row, Touched, Truncated, Value

_IDENT = r'(?:[^\s".:,\[]+|"(?:[^"]|"")*")'
_TABLE = re.compile(rf"({_IDENT})\.({_IDENT})")
_NAME = re.compile(rf"({_IDENT})\[")
_QUOTED = re.compile(r"[A-Z]?'((?:[^']|'')*)'", re.DOTALL)
_BARE = re.compile(r"\S+")
_OLD, _NEW = "old-key: ", "new-tuple: "


class TestDecoding:
    """Decodes one stream; it has nothing to remember."""

    __test__ = False

    def decode(self, line: str) -> Iterator[Event]:
        """Yield what a line tells; lines of other kinds tell nothing.

        Raises:
            ValueError: The line cannot be read.
        """
        if line.startswith("table "):
            yield _table_event(line)
        elif line.startswith("BEGIN"):
            yield Begin(None)
        elif line.startswith("COMMIT"):
            yield Commit()


def _table_event(line: str) -> Event:
    tables, at = [], len("table ")
    while True:
        found = _TABLE.match(line, at)
        if found is None:
            raise ValueError("a line of test_decoding names no table")
        tables.append((_plain(found[1]), _plain(found[2])))
        at = found.end()
        if not line.startswith(", ", at):
            break
        at += 2
    kind, _, told = line[at + 2 :].partition(": ")
    if kind == "TRUNCATE":
        return Truncated(tuple(tables))
    if kind not in ("INSERT", "UPDATE", "DELETE"):
        raise ValueError(f"a line of test_decoding tells of {kind[:20]!r}")
    return _touched(*tables[0], told)


def _touched(schema: str, table: str, told: str) -> Touched:
    if told.startswith("(no-tuple-data)"):
        return Touched(schema, table, ())
    if told.startswith(_OLD):
        before, at = _row(told, len(_OLD), stop=_NEW)
        after, _ = _row(told, at + len(_NEW))
        return Touched(schema, table, (before, after))
    row, _ = _row(told, 0)
    return Touched(schema, table, (row,))


def _row(told: str, at: int, *, stop: str | None = None) -> tuple[Row, int]:
    row: dict[str, Value] = {}
    while at < len(told):
        if stop is not None and told.startswith(stop, at):
            break
        name = _NAME.match(told, at)
        if name is None:
            raise ValueError("a line of test_decoding has no column where one should stand")
        at = _behind_type(told, name.end())
        value, at = _value(told, at)
        row[_plain(name[1])] = value
        at += told.startswith(" ", at)
    return row, at


def _behind_type(told: str, at: int) -> int:
    """Return where the value begins: types may have brackets, and quoted names, of their own."""
    depth, quoted = 1, False
    while at < len(told):
        sign = told[at]
        at += 1
        if sign == '"':
            quoted = not quoted
        elif not quoted:
            depth += (sign == "[") - (sign == "]")
            if depth == 0:
                break
    if not told.startswith(":", at):
        raise ValueError("a line of test_decoding has a column without a value")
    return at + 1


def _value(told: str, at: int) -> tuple[Value, int]:
    quoted = _QUOTED.match(told, at)
    if quoted is not None:
        return quoted[1].replace("''", "'"), quoted.end()
    bare = _BARE.match(told, at)
    if bare is None:
        raise ValueError("a line of test_decoding has a column without a value")
    text = bare[0]
    if text == "null":
        return None, bare.end()
    return (UNSENT if text == "unchanged-toast-datum" else text), bare.end()


def _plain(name: str) -> str:
    return name[1:-1].replace('""', '"') if name.startswith('"') else name
