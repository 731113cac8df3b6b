"""A limit on the address space of this process, which libraries that arrive later do not eat up."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_STATM = Path("/proc/self/statm")
_limit: int | None = None
_size_at_start = 0


def address_space_bytes() -> int | None:
    """Size of this process's address space, or None where the platform does not say."""
    try:
        import resource

        return int(_STATM.read_bytes().split()[0]) * resource.getpagesize()
    except (OSError, ImportError, ValueError):
        return None


def limit_growth(more_bytes: int) -> None:
    """Let this process take `more_bytes` beyond what it has now; does nothing where that is not possible."""
    global _limit, _size_at_start  # noqa: PLW0603 - there is one address space
    size = address_space_bytes()
    if size is None or sys.platform == "darwin":
        return
    _size_at_start = size
    _limit = size + more_bytes
    _apply(_limit)


def is_half_used() -> bool:
    """Whether what remains from earlier documents has taken half of the allowed growth."""
    size = address_space_bytes()
    if _limit is None or size is None:
        return False
    return size - _size_at_start > (_limit - _size_at_start) // 2


@contextmanager
def importing() -> Iterator[None]:
    """Lift the limit while libraries are loaded, then raise it by what they took."""
    global _limit, _size_at_start  # noqa: PLW0603 - there is one address space
    before = address_space_bytes() if _limit is not None else None
    if _limit is None or before is None:
        yield
        return
    _apply(None)
    try:
        yield
    finally:
        growth = max(0, (address_space_bytes() or before) - before)
        _limit += growth
        _size_at_start += growth
        _apply(_limit)


def _apply(limit: int | None) -> None:
    import resource

    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    soft = resource.RLIM_INFINITY if limit is None else limit
    if hard != resource.RLIM_INFINITY:
        soft = hard if soft == resource.RLIM_INFINITY else min(soft, hard)
    try:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
    except (ValueError, OSError):
        # Some platforms know the call and refuse the value; the time limit still holds there.
        return
