"""What a person fills in for a source: the settings every source has, and its credentials."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretBytes, SecretStr


class SourceConfig(BaseModel):
    """Settings that every source takes; a connector adds its own by inheriting.

    Unknown settings are refused, so that a misspelt one is not silently without effect. What checks them is
    built when it is first needed: a process imports more of these classes than it uses.
    """

    model_config = ConfigDict(extra="forbid", defer_build=True)

    not_scope: ClassVar[frozenset[str]] = frozenset({"auto_strategy", "reconcile_seconds"})
    """Settings that do not decide what belongs to the scope: changing one asks for no complete listing."""

    include: list[str] = Field(
        default_factory=list,
        title="Include",
        description="Only paths that match one of these patterns (gitignore style); empty means all.",
    )
    exclude: list[str] = Field(
        default_factory=list,
        title="Exclude",
        description="Paths that match one of these patterns are left out (gitignore style).",
    )
    max_file_bytes: int | None = Field(
        default=None,
        ge=1,
        title="Largest file",
        description="Larger items are skipped with the reason too_large; empty means the general limit.",
    )
    max_age_days: float | None = Field(
        default=None,
        gt=0,
        title="Greatest age",
        description="Items changed longer ago than this are skipped with the reason too_old.",
    )
    auto_strategy: Literal["best", "listing"] = Field(
        default="best",
        title="Strategy of automatic runs",
        description="best uses the source's change feed where it has a complete one; listing never does.",
    )
    reconcile_seconds: int | None = Field(
        default=None,
        ge=0,
        title="Complete listing at least every",
        description="Seconds after which an automatic run lists all again; empty means the general value.",
    )


class SourceCredentials(BaseModel):
    """Base of a source's credentials: fields that are secret are typed `SecretStr`."""

    model_config = ConfigDict(extra="forbid", defer_build=True)

    def reveal(self) -> dict[str, Any]:
        """Return the fields with their secrets in clear: for the credentials block, and nothing else."""
        return {
            name: value.get_secret_value() if isinstance(value, SecretStr | SecretBytes) else value
            for name, value in self
            if value is not None
        }
