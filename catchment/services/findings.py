"""What the doctor says of one thing that was looked at."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct


class Verdict(StrEnum):
    """How one thing stands."""

    OK = "ok"
    NOTE = "note"
    """Nothing is wrong, but worth knowing."""
    WRONG = "wrong"


class Finding(Struct, frozen=True):
    """One thing that was looked at."""

    name: str
    verdict: Verdict
    message: str
    remedy: str = ""
