"""The documents that the faces stand on, where they lie beside the checkout, and the samples in them.

They are the text of web pages. Some line ends of their samples are lost: after a backslash in a command, and
after a comment in code. Those are put back; nothing else of a sample is touched.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2].parent / "shared" / "seeds"
FACES = ("aimable", "trove", "zensearch")

needs_seeds = pytest.mark.skipif(
    not FOLDER.exists(), reason="the documents that the faces stand on do not lie beside the checkout"
)
OVERLOOKED = re.compile(r"[{}]|=>|https?://|\bcurl\b|\bawait\b")
"""What only samples have: where it is left over in a document, one was not found."""

_LOST_LINE_END = re.compile(r"(//[^\n]*?) (?=(?:for|if|while) \(|(?:const|let) \w+ =)")
_NEXT_STATEMENT = re.compile(r"\s*(?=(?:const|let) \w+ =|(?:await|console|if|for)\b)")
_TYPED = re.compile(r"\w: (?:string|number|boolean)\b| as const\b")
_CLOSING = {"{": "}", "[": "]", "(": ")"}


@dataclass(frozen=True, slots=True)
class Sample:
    """One sample.

    Attributes:
        key: Its face, its kind and its number among those, such as ``trove curl 2``; an endpoint has its
            method and path instead.
        text: The sample, word for word.
    """

    key: str
    text: str

    def with_words(self, replaced: Mapping[str, str]) -> str:
        """Return its text with other words in the place of some; each of those must be in it."""
        text = self.text
        for word, instead in replaced.items():
            assert word in text, f"{self.key} has no {word}"
            text = text.replace(word, instead)
        return text


@dataclass(frozen=True, slots=True)
class Document:
    """One document.

    Attributes:
        samples: Its samples by their keys.
        rest: Its text without them.
    """

    samples: dict[str, Sample]
    rest: str


@cache
def read(face: str) -> Document:
    """Read the document of a face."""
    (path,) = FOLDER.glob(f"{face}-*.txt")
    rest = path.read_text(encoding="utf-8")
    samples: dict[str, Sample] = {}
    for kind, start, end in _KINDS:
        position = 0
        while (begun := start.search(rest, position)) is not None:
            text = rest[begun.start() : end(rest, begun)]
            rest = f"{rest[: begun.start()]}\n{rest[begun.start() + len(text) :]}"
            position = begun.start()
            named = _named(face, kind, text, samples)
            samples[named.key] = named
    return Document(samples, rest)


def sample(key: str) -> Sample:
    """Return a sample by its key."""
    return read(key.split(maxsplit=1)[0]).samples[key]


def _named(face: str, kind: str, text: str, others: Mapping[str, Sample]) -> Sample:
    if kind == "endpoint":
        return Sample(f"{face} {' '.join(text.split())}", text)
    if kind == "code":
        kind = "typescript" if _TYPED.search(text) else "javascript"
        text = _LOST_LINE_END.sub(r"\1\n", text)
    if kind == "curl":
        text = text.replace("\\ -", "\\\n-")
    number = sum(key.startswith(f"{face} {kind} ") for key in others) + 1
    return Sample(f"{face} {kind} {number}", text)


def _end_of_command(text: str, begun: re.Match[str]) -> int:
    """A command ends with its line, or where prose follows its last quotation mark at once."""
    quote = ""
    for place in range(begun.end(), len(text)):
        sign = text[place]
        if quote:
            if sign == quote:
                quote = ""
                if text[place + 1 : place + 2].isalpha():
                    return place + 1
        elif sign in "'\"":
            quote = sign
        elif sign == "\n" and text[place - 1] != "\\":
            return place
    return len(text)


def _end_of_code(text: str, begun: re.Match[str]) -> int:
    """Code ends with the last of the statements that follow each other."""
    place = begun.start()
    while True:
        place = _end_of_statement(text, place)
        following = _NEXT_STATEMENT.match(text, place)
        if following is None:
            return place
        place = following.end()


def _end_of_statement(text: str, place: int) -> int:
    open_brackets: list[str] = []
    for at in range(place, len(text)):
        sign = text[at]
        if sign in _CLOSING:
            open_brackets.append(_CLOSING[sign])
        elif open_brackets and sign == open_brackets[-1]:
            open_brackets.pop()
            if not open_brackets and sign == "}":
                return at + 1
        elif sign == ";" and not open_brackets:
            return at + 1
    return len(text)


def _end_of_value(text: str, begun: re.Match[str]) -> int:
    return _end_of_statement(text, begun.start())


def _end_of_match(_text: str, begun: re.Match[str]) -> int:
    return begun.end()


_KINDS: tuple[tuple[str, re.Pattern[str], Callable[[str, re.Match[str]], int]], ...] = (
    ("curl", re.compile(r"\bcurl "), _end_of_command),
    ("code", re.compile(r"\basync function |\bconst \w+ = await "), _end_of_code),
    ("json", re.compile(r'\{\s*"'), _end_of_value),
    ("endpoint", re.compile(r"(?:GET|POST|PUT|PATCH|DELETE)\s+/[\w/{}-]+"), _end_of_match),
    ("header", re.compile(r"^(?:Authorization|X-[\w-]+): (?:\w+ <[^>\n]+>|[a-z_]+)", re.M), _end_of_match),
)
"""Kinds of samples in the order in which they are taken out: a command has JSON in it, and addresses."""
