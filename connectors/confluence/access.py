"""Who may read: whom the space lets in, and no restriction of the page or of any above it leaves out.

Everything fails closed: what cannot be found is seen by nobody, and what cannot be asked ends the refresh.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from msgspec import Struct

from catchment.kit import AccessEntry, AccessList
from catchment.kit.http import Missing
from connectors.confluence.records import Space


class Circle(Struct, frozen=True):
    """Users and groups that something is open to."""

    users: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()

    def __bool__(self) -> bool:
        """Whether anybody is in it."""
        return bool(self.users or self.groups)


class Place(Struct, frozen=True):
    """What decides about one piece of content.

    Attributes:
        space: The space, as `Rights.readers` takes it.
        chain: Ids of the page or post and all above it.
    """

    space: str
    chain: tuple[str, ...]


class Rights(Protocol):
    """What a dialect must answer."""

    def places(self, keys: Sequence[str]) -> Mapping[str, Place]:
        """Return where each of these stands; what is not found, or below something hidden, is left out."""

    def space_name(self, space: Space) -> str:
        """Return how `readers` wants a space to be named."""

    def readers(self, space: str) -> Circle:
        """Return who may view a space."""

    def restriction(self, id: str) -> Circle:
        """Return whom a page is restricted to; nobody where it is not restricted."""

    def members(self, group: str) -> frozenset[str]:
        """Return the users in a group."""


class Access:
    """Answers about one site, each question asked once."""

    def __init__(self, rights: Rights) -> None:
        self._rights = rights
        self._readers: dict[str, Circle] = {}
        self._restrictions: dict[str, Circle | None] = {}
        self._members: dict[str, frozenset[str]] = {}

    def lists(self, keys: Sequence[str]) -> dict[str, AccessList]:
        """Return who may read each item, by key; those that nobody may be told about have no entry.

        Raises:
            SourceError: A question was not answered.
        """
        places = self._rights.places(keys)
        return {key: made for key in keys if key in places and (made := self._list(places[key])) is not None}

    def _list(self, place: Place) -> AccessList | None:
        circles = [self._readers_of(place.space)]
        for id in place.chain:
            circle = self._restriction_of(id)
            if circle is None:
                return None
            if circle:
                circles.append(circle)
        shared = self._shared(circles)
        entries = [AccessEntry("group", group) for group in sorted(shared.groups) if group]
        # Somebody whom the source names without an id is nobody that a reader could be.
        entries += [AccessEntry("user", user) for user in sorted(shared.users) if user]
        return AccessList(tuple(entries))

    def _shared(self, circles: Sequence[Circle]) -> Circle:
        """Return who is in all circles: groups that all of them name, and users one by one."""
        different = list(dict.fromkeys(circles))
        if len(different) == 1:
            return different[0]
        groups = frozenset.intersection(*(circle.groups for circle in different))
        people = frozenset.intersection(*(self._people(circle) for circle in different))
        return Circle(people - self._in(groups), groups)

    def _people(self, circle: Circle) -> frozenset[str]:
        return circle.users | self._in(circle.groups)

    def _in(self, groups: Iterable[str]) -> frozenset[str]:
        found: frozenset[str] = frozenset()
        for group in groups:
            if group not in self._members:
                try:
                    self._members[group] = self._rights.members(group)
                except Missing:
                    self._members[group] = frozenset()
            found |= self._members[group]
        return found

    def _readers_of(self, space: str) -> Circle:
        if space not in self._readers:
            try:
                self._readers[space] = self._rights.readers(space)
            except Missing:
                self._readers[space] = Circle()
        return self._readers[space]

    def _restriction_of(self, id: str) -> Circle | None:
        """Return whom it is restricted to; None where it is not there to be asked about."""
        if id not in self._restrictions:
            try:
                self._restrictions[id] = self._rights.restriction(id)
            except Missing:
                self._restrictions[id] = None
        return self._restrictions[id]
