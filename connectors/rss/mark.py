"""How far a feed was read: what the next run compares with."""

from __future__ import annotations

import base64
import hashlib
import json

from msgspec import Struct, field
from msgspec.structs import asdict

from catchment.kit import CursorExpired

MOST_ENTRIES = 2000
"""Entries that a mark remembers; of more, the ledger alone knows that they did not change."""
_LEAST_ENTRIES = 20
_NAME, _VERSION = 12, 8
"""Characters of an entry's name and version; without quotes, since marks are kept as texts within texts."""


class Mark(Struct):
    """The mark of one feed.

    Attributes:
        meaning: The settings that it was made under; under others all entries are looked at again.
        url: Where the feed has moved to for good; empty where it is read at its own address.
        etag: The server's mark of what was read; empty where it gives none that can be trusted.
        modified: The server's time of the last change, as it wrote it.
        digest: Hash of the bytes that were read.
        whole_at: When the feed was last read without asking whether it changed; POSIX seconds.
        complete: Whether older pages, which it links to, were followed to where nothing was missing.
        entries: Version of each entry that the feed showed, both as short hashes. Of those that it shows no
            longer as many as it shows: one may come back when another is taken away.
    """

    meaning: str
    url: str = ""
    etag: str = ""
    modified: str = ""
    digest: str = ""
    whole_at: float = 0.0
    complete: bool = False
    entries: dict[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, text: str) -> Mark:
        """Read a mark.

        Raises:
            CursorExpired: It is none of ours.
        """
        try:
            told = json.loads(text)
            mark = cls(**{**told, "entries": _unpacked(told.get("entries", ""))})
        except (ValueError, TypeError, AttributeError) as error:
            raise CursorExpired("The mark of the feed cannot be read.") from error
        if not isinstance(mark.whole_at, int | float):
            raise CursorExpired("The mark of the feed cannot be read.")
        return mark

    def text(self) -> str:
        """Write the mark."""
        packed = "".join(name + version for name, version in self.entries.items())
        return json.dumps({**asdict(self), "entries": packed}, separators=(",", ":"))

    def knows(self, key: str) -> bool:
        """Whether the feed showed this entry before."""
        return _short(key, _NAME) in self.entries

    def has(self, key: str, version: str) -> bool:
        """Whether the feed showed this entry before, and just so."""
        return self.entries.get(_short(key, _NAME)) == _short(version, _VERSION)

    def note(self, key: str, version: str, *, most: int = MOST_ENTRIES) -> None:
        """Remember an entry as the feed shows it, if there is room."""
        self._keep(_short(key, _NAME), _short(version, _VERSION), most)

    @property
    def room(self) -> int:
        """How many entries are remembered in all, once those are that the first page shows."""
        return min(max(2 * len(self.entries), _LEAST_ENTRIES), MOST_ENTRIES)

    def carry(self, before: Mark, *, but: set[str], most: int) -> None:
        """Remember entries of an earlier mark, too, except for those that were taken away since."""
        gone = {_short(key, _NAME) for key in but}
        for name, version in before.entries.items():
            if name not in gone:
                self._keep(name, version, most)

    def _keep(self, name: str, version: str, most: int) -> None:
        if len(self.entries) < most:
            self.entries.setdefault(name, version)


def _unpacked(text: str) -> dict[str, str]:
    """Take entries apart that stand one after the other.

    Raises:
        ValueError: They are none.
    """
    size = _NAME + _VERSION
    if not isinstance(text, str) or len(text) % size:
        raise ValueError("no entries")
    pieces = (text[start : start + size] for start in range(0, len(text), size))
    return {piece[:_NAME]: piece[_NAME:] for piece in pieces}


def _short(text: str, characters: int) -> str:
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
    return base64.urlsafe_b64encode(digest).decode()[:characters]
