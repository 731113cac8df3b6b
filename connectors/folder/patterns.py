"""Ignore files in gitignore syntax, matched the way Git does it: one entry at a time.

Git asks for each entry whether the last pattern that matches *the entry itself* excludes it, and
never looks inside an excluded folder. Matchers that answer for a whole path at once treat
``*``, ``!*/``, ``!*.txt`` (only text files, in all folders) as if every folder were excluded. Hence
this translation. Matching takes time linear in the pattern for each place it can begin, because each
star is settled where it first fits; a hostile pattern cannot make a listing hang.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from msgspec import Struct

from catchment.core.discreet import Discreet

_CLASSES = {
    "alnum": "a-zA-Z0-9",
    "alpha": "a-zA-Z",
    "blank": " \\t",
    "cntrl": "\\x00-\\x1f\\x7f",
    "digit": "0-9",
    "graph": "\\x21-\\x7e",
    "lower": "a-z",
    "print": "\\x20-\\x7e",
    "punct": "\\x21-\\x2f\\x3a-\\x40\\x5b-\\x60\\x7b-\\x7e",
    "space": "\\s",
    "upper": "A-Z",
    "xdigit": "0-9a-fA-F",
}
_STAR = object()
_ANY_FOLDERS = "(?:[^/]+/)*"


class _Unmatchable(Exception):
    """Git accepts the pattern, and nothing ever matches it."""


class _Pattern(Struct, frozen=True):
    ignores: bool
    folders_only: bool
    by_name: bool
    regex: re.Pattern[str]
    source: str


class IgnoreList(Discreet, Struct, frozen=True):
    """The patterns of one folder's ignore files, later ones first."""

    unseen = frozenset({"_names", "_paths"})

    patterns: tuple[_Pattern, ...]
    _names: re.Pattern[str] | None
    _paths: re.Pattern[str] | None

    @classmethod
    def of(cls, lines: Iterable[str]) -> IgnoreList | None:
        """Read lines; None where they hold no pattern. Lines that cannot match are passed over."""
        patterns = tuple(reversed([p for p in map(_pattern, lines) if p is not None]))
        if not patterns:
            return None
        return cls(
            patterns,
            _any_of([p.source for p in patterns if p.by_name]),
            _any_of([p.source for p in patterns if not p.by_name]),
        )

    def ignores(self, path: str, name: str, *, is_folder: bool) -> bool | None:
        """Tell whether an entry is left out; None when no pattern speaks of it.

        Args:
            path: Relative to the folder of the ignore file.
            name: The last part of it.
            is_folder: Patterns that end in a slash mean folders only.
        """
        # Most entries match nothing, and one expression says so faster than a hundred.
        by_name = self._names is not None and self._names.fullmatch(name) is not None
        by_path = self._paths is not None and self._paths.fullmatch(path) is not None
        if not by_name and not by_path:
            return None
        for pattern in self.patterns:
            if pattern.folders_only and not is_folder:
                continue
            if pattern.regex.fullmatch(name if pattern.by_name else path):
                return pattern.ignores
        return None


def _any_of(sources: list[str]) -> re.Pattern[str] | None:
    return re.compile("|".join(f"(?:{source})" for source in sources), re.DOTALL) if sources else None


def _pattern(line: str) -> _Pattern | None:
    body = _without_trailing_spaces(line.removesuffix("\n").removesuffix("\r"))
    if not body or body.startswith("#"):
        return None
    negated = body.startswith("!")
    body = body.removeprefix("!")
    folders_only = body.endswith("/")
    body = body.removesuffix("/")
    by_name = "/" not in body
    body = body.removeprefix("/")
    if not body:
        return None
    try:
        source = _segment(body) if by_name else _path(body.split("/"))
        regex = re.compile(source, re.DOTALL)
    except (_Unmatchable, re.error):
        return None
    return _Pattern(not negated, folders_only, by_name, regex, source)


def _without_trailing_spaces(line: str) -> str:
    """Drop spaces at the end, except one that a backslash protects."""
    bare = line.rstrip(" ")
    backslashes = len(bare) - len(bare.rstrip("\\"))
    return f"{bare} " if backslashes % 2 and bare != line else bare


def _path(segments: list[str]) -> str:
    """Translate the parts of a path; ``**`` as a whole part stands for any number of folders."""
    runs: list[list[str]] = [[]]
    for segment in segments:
        if len(segment) > 1 and not segment.strip("*"):
            runs.append([])
        else:
            runs[-1].append(_segment(segment))
    if len(runs) == 1:
        return "/".join(runs[0])
    first, *middle, last = runs
    source = "".join(f"{part}/" for part in first)
    for run in middle:
        if run:
            # The first fit of a run leaves the most for what follows: no need to try others.
            source += f"(?>{_ANY_FOLDERS}?{''.join(f'{part}/' for part in run)})"
    return source + (_ANY_FOLDERS + "/".join(last) if last else ".+")


def _segment(text: str) -> str:
    """Translate one part of a path, or a pattern without slashes."""
    chunks: list[str] = [""]
    for token in _tokens(text):
        if token is _STAR:
            chunks.append("")
        else:
            chunks[-1] += str(token)
    if len(chunks) == 1:
        return chunks[0]
    first, *middle, last = chunks
    settled = "".join(f"(?>[^/]*?{chunk})" for chunk in middle if chunk)
    return f"{first}{settled}[^/]*{last}"


def _tokens(text: str) -> Iterable[object]:
    position = 0
    while position < len(text):
        char = text[position]
        position += 1
        if char == "*":
            yield _STAR
        elif char == "?":
            yield "[^/]"
        elif char == "[":
            source, position = _bracket(text, position)
            yield source
        elif char == "\\":
            if position == len(text):
                raise _Unmatchable
            yield re.escape(text[position])
            position += 1
        else:
            yield re.escape(char)


def _bracket(text: str, position: int) -> tuple[str, int]:
    """Translate ``[...]`` from behind the bracket; a bracket never matches a slash."""
    negated = text[position : position + 1] in ("!", "^")
    position += negated
    members: list[str] = []
    start = position
    while position < len(text) and (text[position] != "]" or position == start):
        if text.startswith("[:", position) and (end := text.find(":]", position)) > 0:
            members.append(_class(text[position + 2 : end]))
            position = end + 2
            continue
        low, position = _member(text, position)
        if text[position : position + 1] == "-" and text[position + 1 : position + 2] not in ("", "]"):
            high, position = _member(text, position + 1)
            if low <= high:
                members.append(f"{re.escape(low)}-{re.escape(high)}")
        else:
            members.append(re.escape(low))
    if position >= len(text):
        raise _Unmatchable
    if not members:
        return ("[^/]" if negated else "(?!)"), position + 1
    return f"(?!/)[{'^' if negated else ''}{''.join(members)}]", position + 1


def _member(text: str, position: int) -> tuple[str, int]:
    if text[position] == "\\":
        position += 1
        if position >= len(text):
            raise _Unmatchable
    return text[position], position + 1


def _class(name: str) -> str:
    if name not in _CLASSES:
        raise _Unmatchable
    return _CLASSES[name]
