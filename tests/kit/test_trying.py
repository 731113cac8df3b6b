"""What the kit lends to whoever tries a connector: a name in the registry, and paces of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from catchment.core.clock import START, PassingClock
from catchment.core.errors import NotFound
from catchment.core.home import home_settings
from catchment.kit import Session, registry
from catchment.kit.governor import FOLDER, governor_for, paces_of_its_own
from catchment.kit.push import Push


class Shelf(Push):
    slug = "shelf-of-this-test"


class OtherFolder(Push):
    slug = "folder"


def test_a_class_that_is_lent_is_known_by_its_slug_and_forgotten_afterwards() -> None:
    """It need not be installed, and stands before one that is."""
    ours = registry.provider("folder")
    with registry.lent(Shelf), registry.lent(OtherFolder):
        assert registry.provider(Shelf.slug) is Shelf
        assert registry.is_installed(Shelf.slug)
        assert registry.provider("folder") is OtherFolder
    assert registry.provider("folder") is ours
    assert not registry.is_installed(Shelf.slug)
    with pytest.raises(NotFound):
        registry.provider(Shelf.slug)


def test_paces_of_their_own_are_told_to_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a vendor asked for inside keeps nobody waiting outside, nor the other way round."""
    monkeypatch.setenv("CATCHMENT_HOME", str(tmp_path))
    home_settings.cache_clear()
    clock = PassingClock()
    session = Session(clock=clock)
    with paces_of_its_own():
        governor_for("shelf", "a").hold(session, 600, "rate limit")
        assert governor_for("shelf", "a") is governor_for("shelf", "a")
    governor_for("shelf", "a").wait(session)
    assert clock.now() == START
    assert not (tmp_path / FOLDER).exists()
    governor_for("shelf", "a").hold(session, 60, "rate limit")
    with paces_of_its_own():
        governor_for("shelf", "a").wait(session)
    assert clock.now() == START
    governor_for("shelf", "a").wait(session)
    assert clock.now() == START + 60
    home_settings.cache_clear()
