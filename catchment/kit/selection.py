"""Which paths, sizes and ages lie in scope, by the settings that every source shares."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from msgspec import Struct

from catchment.core.errors import ConfigRejected
from catchment.core.items import Item
from catchment.kit.config import SourceConfig

if TYPE_CHECKING:
    import pathspec

DAY_SECONDS = 86_400


class Selection(Struct, frozen=True, dict=True):
    """The scope that include, exclude, size and age describe.

    Paths outside are not collected at all; items that are too large or too old are collected and
    recorded as skipped, so that a person who looks for one learns why it is missing.
    """

    include: tuple[str, ...]
    exclude: tuple[str, ...]
    max_file_bytes: int
    max_age_seconds: float | None

    @classmethod
    def of(cls, config: SourceConfig, *, max_file_bytes: int) -> Selection:
        """Read the selection out of a connector's settings.

        Raises:
            ConfigRejected: A pattern cannot be read.
        """
        selection = cls(
            include=tuple(config.include),
            exclude=tuple(config.exclude),
            max_file_bytes=config.max_file_bytes or max_file_bytes,
            max_age_seconds=config.max_age_days * DAY_SECONDS if config.max_age_days else None,
        )
        _ = selection._include, selection._exclude
        return selection

    @cached_property
    def _include(self) -> pathspec.PathSpec[pathspec.Pattern] | None:
        return _spec(self.include, "include")

    @cached_property
    def _exclude(self) -> pathspec.PathSpec[pathspec.Pattern] | None:
        return _spec(self.exclude, "exclude")

    @cached_property
    def admits_all(self) -> bool:
        """Whether every path lies in scope."""
        return self._include is None and self._exclude is None

    def admits(self, path: str) -> bool:
        """Tell whether the path lies in scope."""
        if self._include is not None and not self._include.match_file(path):
            return False
        return self._exclude is None or not self._exclude.match_file(path)

    def refusal(self, item: Item, *, now: float) -> str | None:
        """Return why the item is refused by rule before it is read, or None."""
        if item.refusal is not None:
            return item.refusal
        if item.size is not None and item.size > self.max_file_bytes:
            return f"too_large: {item.size} bytes, the limit is {self.max_file_bytes}"
        if (
            self.max_age_seconds is not None
            and item.modified_at is not None
            and now - item.modified_at > self.max_age_seconds
        ):
            return "too_old"
        return None


def _spec(patterns: Sequence[str], setting: str) -> pathspec.PathSpec[pathspec.Pattern] | None:
    if not patterns:
        return None
    spec = _read(patterns, setting)
    kept = [pattern for pattern in spec.patterns if pattern.include is not None]
    if setting == "include" and kept and not any(pattern.include for pattern in kept):
        raise ConfigRejected(
            "The setting include only says what to leave out, so that nothing would be read.",
            setting=setting,
            remedy="Write those patterns, without the exclamation mark, into exclude.",
        )
    # Blank lines and comments alone say nothing; as an include they would let nothing in.
    return spec if kept else None


def _read(patterns: Sequence[str], setting: str) -> pathspec.PathSpec[pathspec.Pattern]:
    import pathspec  # most connectors have no pattern

    try:
        return pathspec.PathSpec.from_lines("gitignore", patterns)
    except Exception as error:
        raise ConfigRejected(
            f"The setting {setting} holds a pattern that cannot be read: {error}.",
            setting=setting,
            remedy="Write patterns as in a .gitignore file, such as *.pdf or drafts/.",
        ) from error
