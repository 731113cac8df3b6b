"""What `check` says about a connector: one result for each thing it must be able to do."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Health(StrEnum):
    """How one capability stands."""

    OK = "ok"
    DENIED = "denied"
    UNREACHABLE = "unreachable"
    MISCONFIGURED = "misconfigured"


@dataclass(frozen=True, slots=True)
class Capability:
    """One named thing that the connector needs, how it stands, and what to do when it does not work.

    Attributes:
        name: Short and stable, such as ``list`` or ``read``.
        health: The result.
        message: One sentence about what was found.
        remedy: What to do, when `health` is not ok.
        setting: The setting to look at, when one is to blame.
    """

    name: str
    health: Health
    message: str
    remedy: str = ""
    setting: str = ""
