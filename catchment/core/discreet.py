"""Structs that do not show everything: secrets, and bodies that would fill a log."""

from __future__ import annotations

from typing import ClassVar


class Discreet:
    """Base of structs with fields that no repr shows; it stands before `msgspec.Struct` among the bases.

    Attributes:
        unseen: Names of those fields.
    """

    __slots__ = ()
    __struct_fields__: ClassVar[tuple[str, ...]]
    unseen: ClassVar[frozenset[str]]

    def __repr__(self) -> str:
        """Return what `msgspec` would, without the fields in `unseen`."""
        shown = (f"{n}={getattr(self, n)!r}" for n in self.__struct_fields__ if n not in self.unseen)
        return f"{type(self).__name__}({', '.join(shown)})"
