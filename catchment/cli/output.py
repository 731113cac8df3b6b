"""What the command writes: sentences and tables for people, one JSON object per line for programs.

With ``--json`` nothing but JSON lines reaches standard output; whatever is meant for a person goes to
standard error then. Secrets that stood on the command line never come back: see `Output.hide`.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable, Sequence
from typing import IO, TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote, urlsplit

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

HIDDEN = "***"
WIDE = 1000  # A pipe has no edge to wrap at.
_USERINFO = re.compile(r"(\w[\w+.-]*://[^\s:/@]*):[^\s/]*@")
_SECRET_NAME = re.compile(r"pass|secret|token|key|signature|credential", re.IGNORECASE)
# Texts come from documents: what could steer the terminal is shown as a blank.
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]+")


class Output:
    """Where a command's words go."""

    def __init__(self) -> None:
        self.json = False
        self._secrets: tuple[str, ...] = ()

    def begin(self, words: Sequence[str], *, as_json: bool) -> None:
        """Start over for one command line, whose secrets must not be repeated."""
        self.json = as_json
        self._secrets = tuple(sorted(_secrets_in(words), key=len, reverse=True))
        for stream in (sys.stdout, sys.stderr):
            if hasattr(stream, "reconfigure"):
                # A name that is no Unicode is shown escaped; in JSON the same escape is valid.
                stream.reconfigure(errors="backslashreplace")

    def hide(self, text: str) -> str:
        """Take passwords of URLs, and everything secret of the command line, out of a text."""
        for secret in self._secrets:
            text = text.replace(secret, HIDDEN)
        return _USERINFO.sub(rf"\1:{HIDDEN}@", text)

    def note(self, text: str) -> None:
        """Tell the person something on the way; on standard error."""
        print(self.hide(text), file=sys.stderr, flush=True)

    def say(self, text: str = "") -> None:
        """Write a line of the result; with ``--json`` it goes where notes go."""
        print(self.hide(text), file=sys.stderr if self.json else sys.stdout, flush=True)

    def record(self, **values: Any) -> None:
        """Write one JSON object on a line of its own."""
        print(json.dumps(self._hidden(values), ensure_ascii=False, default=str), flush=True)

    def _hidden(self, value: Any) -> Any:
        if isinstance(value, str):
            return self.hide(value)
        if isinstance(value, dict):
            return {name: self._hidden(part) for name, part in value.items()}
        return [self._hidden(part) for part in value] if isinstance(value, list | tuple) else value

    def table(self, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
        """Write rows below their headings.

        Columns whose heading begins with ``>`` are set right and never folded, those that begin with
        ``=`` are not folded either: a person copies what stands in them.
        """
        from rich.table import Table
        from rich.text import Text

        table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
        for column in columns:
            table.add_column(
                column.lstrip(">="),
                justify="right" if column.startswith(">") else "left",
                overflow="fold",
                no_wrap=column.startswith((">", "=")),
            )
        for row in rows:
            table.add_row(*(cell if isinstance(cell, Text) else clean(cell) for cell in row))
        self.rich(table)

    def bullets(self, sentences: Iterable[str]) -> None:
        """Write sentences as a list, folded at the edge of the terminal."""
        import textwrap

        width = console_for(sys.stdout).width
        for sentence in sentences:
            for line in textwrap.wrap(
                clean(sentence), width, initial_indent="  - ", subsequent_indent="    "
            ):
                self.say(line)

    def facts(self, facts: Iterable[tuple[str, Any]]) -> None:
        """Write names and values, one pair a line, values aligned; without those that are None."""
        shown = [(name, value) for name, value in facts if value is not None]
        width = max((len(name) for name, _ in shown), default=0)
        for name, value in shown:
            self.say(f"{name:<{width}}  {clean(value)}")

    def rich(self, thing: Any) -> None:
        """Write something that rich can draw, without blanks at the ends of lines."""
        console = console_for(sys.stderr if self.json else sys.stdout)
        with console.capture() as captured:
            console.print(thing)
        for line in captured.get().rstrip("\n").split("\n"):
            self.say(line.rstrip())


out = Output()
"""The output of the command that runs."""


def console_for(stream: IO[str]) -> Console:
    """Return a console that draws calmly: no guessing of colours, no markup, no edge in a pipe."""
    from rich.console import Console

    width = None if stream.isatty() else WIDE
    return Console(file=stream, width=width, highlight=False, markup=False, emoji=False, soft_wrap=False)


def clean(value: Any) -> str:
    """Write a value of unknown origin so that it cannot steer a terminal."""
    return _CONTROL.sub(" ", "" if value is None else str(value))


def highlighted(text: str, stretches: Iterable[tuple[int, int]]) -> Text:
    """Return a text with some stretches bold; offsets count the text as it is given."""
    from rich.text import Text

    shown = Text("".join(" " if _CONTROL.match(character) else character for character in text))
    for start, end in stretches:
        shown.stylize("bold", start, end)
    return shown


def _secrets_in(words: Sequence[str]) -> set[str]:
    """Find what is secret in the URLs of a command line, as written and as meant."""
    found: set[str] = set()
    for word in words:
        for text in {word, word.partition("=")[2]}:
            if "://" not in text:
                continue
            try:
                parts = urlsplit(text)
                password = parts.password
            except ValueError:
                continue
            found.update(filter(None, (password, unquote(password or ""))))
            found.update(value for name, value in parse_qsl(parts.query) if _SECRET_NAME.search(name))
    return {secret for secret in found if len(secret) > 2}
