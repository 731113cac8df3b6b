"""The same made-up requests every time: hypothesis left to its seed alone."""

from __future__ import annotations

import pytest
from hypothesis.internal.conjecture import providers


def steady(patch: pytest.MonkeyPatch) -> None:
    """Keep hypothesis from the literals of whatever modules happen to be imported.

    It mixes them into what it draws, so that the tests that a process ran before, and every line that is
    changed anywhere, would lead to other requests under the same seed. There is no setting for it.
    """
    patch.setattr(providers, "_get_local_constants", providers.Constants)
    patch.setattr(providers, "CONSTANTS_CACHE", type(providers.CONSTANTS_CACHE)(1024))
