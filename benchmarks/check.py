"""The token check: after every measured run, is each document there once, and is none stale?

A run that fails it has no time: a sync that loses documents can be as fast as it likes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

Search = Callable[[str], list[str]]
"""A token to the path of every chunk that holds it; one path twice means a document kept twice."""

_SHOWN = 3


class CheckFailed(Exception):
    """The index is not what the folder says; the message counts the differences and names some."""


def check(tokens: Mapping[str, str], search: Search, *, stale: Iterable[str] = ()) -> None:
    """Compare an index with what must be found in it.

    Args:
        tokens: Path to the token that this document must be found by, once and nowhere else.
        search: How to ask the index.
        stale: Tokens of deleted documents and of earlier versions: they must find nothing.

    Raises:
        CheckFailed: At least one document is missing, double, stale, or found under a wrong path.
    """
    missing, double, strange = [], [], []
    for path, token in tokens.items():
        found = search(token)
        if path not in found:
            missing.append(path)
        if found.count(path) > 1:
            double.append(path)
        strange += [other for other in found if other != path]
    left_over = [path for token in stale for path in search(token)]
    faults = {"missing": missing, "double": double, "under a wrong path": strange, "stale": left_over}
    if any(faults.values()):
        raise CheckFailed("; ".join(_sentence(kind, paths) for kind, paths in faults.items() if paths))


def _sentence(kind: str, paths: list[str]) -> str:
    return f"{len(paths)} {kind} ({', '.join(paths[:_SHOWN])}{', ...' if len(paths) > _SHOWN else ''})"
