"""Reads the messages of the `pgoutput` plugin, protocol version 1: which rows of which tables were touched.

https://www.postgresql.org/docs/current/protocol-logicalrep-message-formats.html
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping

from msgspec import Struct


class _Unsent:
    """Stands for a large value that did not change and was not sent."""


UNSENT = _Unsent()
Value = str | _Unsent | None
Row = Mapping[str, Value]


class Begin(Struct, frozen=True):
    """A transaction begins; `final_lsn` is where its commit stands, None where the plugin does not say."""

    final_lsn: int | None


class Touched(Struct, frozen=True):
    """A row was inserted, updated or deleted.

    Attributes:
        schema: Of the table.
        table: The table; of a partitioned one it may be the partition.
        rows: What is told of it, before and after; empty when nothing names the row. Where only the
            columns were sent that name it, the others are null or absent.
    """

    schema: str
    table: str
    rows: tuple[Row, ...]


class Truncated(Struct, frozen=True):
    """Tables were emptied."""

    tables: tuple[tuple[str, str], ...]


class Commit(Struct, frozen=True):
    """The transaction ends."""


Event = Begin | Touched | Truncated | Commit


class _Table(Struct, frozen=True):
    schema: str
    name: str
    columns: tuple[str, ...]


class PgOutput:
    """Decodes one stream; it remembers the tables that the stream has described."""

    def __init__(self) -> None:
        self._tables: dict[int, _Table] = {}

    def decode(self, message: bytes) -> Iterator[Event]:
        """Yield what a message tells; unknown kinds of messages tell nothing.

        Raises:
            ValueError: The message cannot be read.
        """
        try:
            yield from self._decode(_Reader(message))
        except (struct.error, IndexError, KeyError, UnicodeDecodeError) as error:
            raise ValueError(f"a message of pgoutput cannot be read: {error!r}") from error

    def _decode(self, reader: _Reader) -> Iterator[Event]:
        tag = reader.byte()
        if tag == b"B":
            yield Begin(reader.int64())
        elif tag == b"C":
            yield Commit()
        elif tag == b"R":
            self._describe(reader)
        elif tag == b"T":
            count = reader.int32()
            reader.byte()
            tables = [self._tables[reader.int32()] for _ in range(count)]
            yield Truncated(tuple((table.schema, table.name) for table in tables))
        elif tag in (b"I", b"U", b"D"):
            yield self._touched(reader)

    def _describe(self, reader: _Reader) -> None:
        oid, schema, name = reader.int32(), reader.text(), reader.text()
        reader.byte()  # the replica identity, which shows in the tuples that are sent
        columns = []
        for _ in range(reader.int16()):
            reader.byte()  # whether it is part of the key
            columns.append(reader.text())
            reader.int32()
            reader.int32()
        # The catalog's own schema is written as nothing.
        self._tables[oid] = _Table(schema or "pg_catalog", name, tuple(columns))

    def _touched(self, reader: _Reader) -> Touched:
        table = self._tables[reader.int32()]
        rows: list[Row] = []
        while reader.has_more:
            reader.byte()  # new, old, or only what names it
            rows.append(dict(zip(table.columns, reader.values(), strict=True)))
        return Touched(table.schema, table.name, tuple(rows))


class _Reader:
    """Takes a message apart, from its first byte to its last."""

    def __init__(self, message: bytes) -> None:
        self._message = message
        self._at = 0

    @property
    def has_more(self) -> bool:
        return self._at < len(self._message)

    def byte(self) -> bytes:
        if not self.has_more:
            raise IndexError("the message ends too early")
        self._at += 1
        return self._message[self._at - 1 : self._at]

    def _number(self, layout: str, size: int) -> int:
        value: int = struct.unpack_from(layout, self._message, self._at)[0]
        self._at += size
        return value

    def int16(self) -> int:
        return self._number(">H", 2)

    def int32(self) -> int:
        return self._number(">I", 4)

    def int64(self) -> int:
        return self._number(">Q", 8)

    def text(self) -> str:
        end = self._message.index(b"\0", self._at)
        value = self._message[self._at : end].decode("utf-8", "replace")
        self._at = end + 1
        return value

    def values(self) -> list[Value]:
        return [self._value() for _ in range(self.int16())]

    def _value(self) -> Value:
        kind = self.byte()
        if kind == b"n":
            return None
        if kind == b"u":
            return UNSENT
        size = self.int32()
        if self._at + size > len(self._message):
            raise IndexError("a value ends too early")
        value = self._message[self._at : self._at + size]
        self._at += size
        return value.decode("utf-8", "replace")
