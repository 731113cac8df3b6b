"""The little of the query language that a connector asks: spaces, types, and a time to begin at."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

_WORD = r'"?([^"\s,()]+)"?'
_SPACE = re.compile(rf"space\s*=\s*{_WORD}")
_SPACES = re.compile(r"space\s+in\s*\(([^)]*)\)")
_TYPE = re.compile(rf"type\s*=\s*{_WORD}")
_TYPES = re.compile(r"type\s+in\s*\(([^)]*)\)")
_SINCE = re.compile(r'lastmodified\s*>=\s*"([^"]*)"', re.IGNORECASE)
_FORMS = ("%Y/%m/%d %H:%M", "%Y-%m-%d %H:%M", "%Y/%m/%d", "%Y-%m-%d")


@dataclass(frozen=True, slots=True)
class Query:
    """What is wanted; empty means no such condition."""

    keys: frozenset[str]
    kinds: frozenset[str]
    since: float


def parse(text: str, time_zone: str) -> Query:
    """Read a query; its dates have minutes, and are of the user's zone.

    Raises:
        ValueError: It is none.
    """
    where, _, _order = re.sub(r"\s+", " ", text.strip()).partition(" order by ")
    if not where:
        raise ValueError("empty query")
    keys: set[str] = set()
    kinds: set[str] = set()
    since = 0.0
    for clause in where.split(" and "):
        if found := _SPACE.fullmatch(clause) or _SPACES.fullmatch(clause):
            keys |= _words(found[1])
        elif found := _TYPE.fullmatch(clause) or _TYPES.fullmatch(clause):
            kinds |= _words(found[1])
        elif found := _SINCE.fullmatch(clause):
            since = _moment(found[1], time_zone)
        else:
            raise ValueError(clause)
    return Query(frozenset(keys), frozenset(kinds), since)


def _words(text: str) -> set[str]:
    return {word.strip().strip('"') for word in text.split(",") if word.strip()}


def _moment(text: str, time_zone: str) -> float:
    for form in _FORMS:
        try:
            return datetime.strptime(text, form).replace(tzinfo=ZoneInfo(time_zone)).timestamp()
        except ValueError:
            continue
    raise ValueError(text)
