"""Names of relations, and how the key and the path of a row are written and read.

A name is written as it is, and in double quotes only where it has other characters than letters, digits,
``_`` and ``$``. Unlike in SQL, a bare name is never folded to lower case.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import NamedTuple
from urllib.parse import unquote

QUERY_PREFIX = "query:"
KEYLESS = "#"
_BARE = re.compile(r"[A-Za-z0-9_$\u0080-\U0010ffff]+")
_PART = r'(?:[A-Za-z0-9_$\u0080-\U0010ffff]+|"(?:[^"]|"")+")'
_NAME = re.compile(rf"(?:(?P<schema>{_PART})\.)?(?P<table>{_PART})")
_HEAD = re.compile(rf"(?:{_PART}\.{_PART}|{QUERY_PREFIX}[A-Za-z0-9_-]+)(?=[\[#])")
_LIKE_AN_ENDING = re.compile(r"\.(?=[A-Za-z][A-Za-z0-9]*$)")
_ONE_NUMBER = re.compile(r"\[(0|-?[1-9][0-9]{0,18})\]")
_NULL, _EMPTY = "%N", "%E"

Values = tuple[str | None, ...]

_encoded = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


class Name(NamedTuple):
    """A relation's name."""

    schema: str
    table: str

    @property
    def sql(self) -> str:
        """The name as the driver takes it in a statement."""
        return f"{sql_name(self.schema)}.{sql_name(self.table)}"

    def __str__(self) -> str:
        """Write the name as settings, scopes and keys have it."""
        return f"{shown(self.schema)}.{shown(self.table)}"


def sql_name(name: str) -> str:
    """Write an identifier as the driver takes it in a statement: quoted, percent signs doubled."""
    return _quoted(name).replace("%", "%%")


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def shown(name: str) -> str:
    """Write an identifier as people read it."""
    return name if _BARE.fullmatch(name) else _quoted(name)


def _unquoted(text: str) -> str:
    return text[1:-1].replace('""', '"') if text.startswith('"') else text


def parse_name(text: str, schema: str) -> Name | None:
    """Read ``table`` or ``schema.table``; None when it is neither."""
    found = _NAME.fullmatch(text.strip())
    if found is None:
        return None
    return Name(_unquoted(found["schema"]) if found["schema"] else schema, _unquoted(found["table"]))


def row_key(scope: str, values: Values, whole: Sequence[bool]) -> str:
    """Write the key of a row.

    Args:
        scope: Name of the relation or query.
        values: The key's values as text, in the order of the key.
        whole: Which of them are whole numbers, and written as such.
    """
    if len(values) == 1 and whole[0] and values[0] is not None:
        return f"{scope}[{values[0]}]"
    parts = [
        int(value) if is_whole and value is not None else value
        for value, is_whole in zip(values, whole, strict=True)
    ]
    return scope + _encoded(parts)


def split_key(key: str) -> tuple[str, Values] | None:
    """Take a key apart into the name of its relation and its values; None when it is no key of a row."""
    head = _HEAD.match(key)
    if head is None:
        return None
    rest = key[head.end() :]
    if rest.startswith(KEYLESS):
        return head[0], (rest[1:],)
    if found := _ONE_NUMBER.fullmatch(rest):
        return head[0], (found[1],)  # what nearly every key is, and reading JSON takes three times as long
    try:
        values = json.loads(rest)
    except ValueError:
        return None
    if not isinstance(values, list) or not all(
        value is None or (isinstance(value, int | str) and not isinstance(value, bool)) for value in values
    ):
        return None
    return head[0], tuple(None if value is None else str(value) for value in values)


def row_path(scope: str, values: Values, *, plain: bool) -> str:
    """Write where a person finds a row.

    Args:
        scope: Name of the relation or query.
        values: The key's values as text.
        plain: The last value ends in no ``.ending``, which parsing would take for a kind of file.
    """
    if len(values) == 1 and values[0] is not None and values[0].isalnum():
        return f"{path_head(scope)}/{values[0]}"
    tail = ",".join(_escaped(value) for value in values)
    if plain and "." in tail:
        tail = _LIKE_AN_ENDING.sub("%2E", tail)
    return f"{path_head(scope)}/{tail}"


def path_head(scope: str) -> str:
    """Write the name of a relation as the head of its rows' paths."""
    return scope.replace("%", "%25").replace("/", "%2F") if "/" in scope or "%" in scope else scope


def split_path(path: str) -> tuple[str, Values] | None:
    """Take a path apart into the name of its relation and the key's values."""
    head, slash, tail = path.partition("/")
    if not slash or not tail:
        return None
    return unquote(head), tuple(_unescaped(part) for part in tail.split(","))


def _escaped(value: str | None) -> str:
    if value is None:
        return _NULL
    if value == "":
        return _EMPTY
    if value.isalnum():
        return value
    return re.sub(r"[%/,\x00-\x1f\x7f]", lambda found: f"%{ord(found[0]):02X}", value)


def _unescaped(part: str) -> str | None:
    if part == _NULL:
        return None
    return "" if part == _EMPTY else unquote(part)
