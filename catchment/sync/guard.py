"""The guard against mass deletion: removals that look like an accident are held, not carried out."""

from __future__ import annotations


def holds(*, absent: int, documents: int, listed: int, fraction: float, least: int) -> bool:
    """Tell whether removals must be held for a person to look at.

    Args:
        absent: Documents that the complete listing did not name.
        documents: Documents that the scope had before.
        listed: Items that the listing named.
        fraction: More than this share at once is suspicious ...
        least: ... from this many on.
    """
    if absent == 0:
        return False
    if listed == 0:
        return True
    return absent >= least and absent > documents * fraction
