"""What `check` says about a connector: one result for each thing it must be able to do."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from catchment.core.errors import AuthRejected, ConfigRejected, PermissionMissing, SourceError


class Health(StrEnum):
    """How one capability stands."""

    OK = "ok"
    DENIED = "denied"
    UNREACHABLE = "unreachable"
    MISCONFIGURED = "misconfigured"


class Capability(Struct, frozen=True):
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

    @classmethod
    def failed(cls, name: str, error: SourceError, *, setting: str = "", remedy: str = "") -> Capability:
        """Say how a capability stands that ended in an error.

        Args:
            name: The capability.
            error: What came of trying it.
            setting: To be looked at where the error names none.
            remedy: What to do where the error says nothing.
        """
        health = Health.UNREACHABLE
        if isinstance(error, ConfigRejected):
            health, setting = Health.MISCONFIGURED, error.setting or setting
        elif isinstance(error, AuthRejected | PermissionMissing):
            health = Health.DENIED
        return cls(name, health, error.message, remedy=error.remedy or remedy, setting=setting)
