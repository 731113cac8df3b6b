"""What a run has put on its way and the ledger cannot know yet: collect runs ahead of index."""

from __future__ import annotations

from catchment.core.runs import ItemState
from catchment.store.items import Known
from catchment.sync.pkset import PkSet

KEY_BITS = 0xFFFFF
"""New keys are remembered by 20 bits of their hash: 128 KiB, and a wrong yes only costs a look."""


class Underway:
    """The items that this run has dealt with, settled or not.

    What the ledger says of such an item may be older than what the run is about to write. Believing it
    would skip a document that the run itself is removing, or keep one that it is adding.
    """

    def __init__(self) -> None:
        self._pks = PkSet()
        self._keys = PkSet()
        self._swept: dict[int, PkSet] = {}
        self._moved: dict[int, int] = {}

    def note(self, key: str, known: Known | None) -> None:
        """Remember that something is being done with an item."""
        if known is not None:
            self._pks.add(known.pk)
        else:
            self._keys.add(hash(key) & KEY_BITS)

    def moved(self, known: Known, key: str) -> None:
        """Remember that what was known by another key is being given this one."""
        self._moved[known.pk] = hash(key)

    @property
    def is_idle(self) -> bool:
        """Whether the ledger's word about every item that it knows may still be believed (`has_known`)."""
        return not self._pks.count and not self._swept

    @property
    def anything_moved(self) -> bool:
        """Whether this run gives anything another key."""
        return bool(self._moved)

    def has_left(self, known: Known) -> bool:
        """Whether the ledger still shows something by a key that this run takes from it."""
        place = self._moved.get(known.pk)
        return place is not None and place != hash(known.key)

    def swept(self, scope_pk: int, sighted: PkSet) -> None:
        """Remember that what a listing did not sight is being removed from this scope."""
        self._swept[scope_pk] = sighted

    def has(self, key: str, known: Known | None) -> bool:
        """Whether the ledger's word about this item is out of date, or may be where it knows nothing."""
        if known is None:
            return hash(key) & KEY_BITS in self._keys
        return self.has_known(known.pk, known.scope_pk)

    def has_known(self, pk: int, scope_pk: int | None) -> bool:
        """Whether the ledger's word about an item that it knows is out of date."""
        if pk in self._pks:
            return True
        sighted = self._swept.get(scope_pk) if scope_pk is not None else None
        return sighted is not None and pk not in sighted

    def doubt(self, known: Known | None) -> Known | None:
        """Return what may still be believed of an item: that it exists, not that it is unchanged.

        What a person deleted stays so wherever it goes, so a scope that loses it changes nothing.
        """
        if known is None or not self.has(known.key, known):
            return known
        if (known.state == ItemState.HIDDEN or known.was_hidden) and known.pk not in self._pks:
            return known
        return known._replace(version=None, content_hash=None, reason=None, updated_at=0.0)
