"""Folders that a connector may read which the operator of the machine did not make."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from catchment.core.errors import ConfigRejected, PermissionMissing, SourceDown
from catchment.core.home import home_settings
from catchment.kit import Item
from catchment.kit.places import folder_roots
from catchment.kit.session import Session
from connectors.folder import Folder, FolderConfig
from connectors.folder.tree import Root


def keys(path: Path | str) -> list[str]:
    source = Folder(FolderConfig(path=str(path)), None, Session(trusted=False))
    try:
        found = [event for scope in source.scopes() for event in source.listing(scope)]
        read = [item for item in found if isinstance(item, Item) and item.refusal is None]
        for item in read:
            source.fetch(item).stream().read()
    finally:
        source.close()
    return sorted(item.key for item in read)


@pytest.fixture
def shared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A root with two folders in it, and secrets beside it."""
    root = tmp_path / "shared"
    (root / "team" / "deep").mkdir(parents=True)
    (root / "team" / "a.md").write_text("a")
    (root / "team" / "deep" / "b.md").write_text("b")
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "key.md").write_text("canary")
    (tmp_path / "shared-too").mkdir()
    monkeypatch.setenv(
        "CATCHMENT_FOLDER_ROOTS", os.pathsep.join([str(tmp_path / "none"), "relative", str(root)])
    )
    return root


def test_are_none_unless_some_are_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty value, and a path that is not absolute, allow nothing."""
    for value in ("", ":", "relative", "."):
        monkeypatch.setenv("CATCHMENT_FOLDER_ROOTS", value)
        assert folder_roots() == ()
        with pytest.raises(ConfigRejected):
            keys(tmp_path)


def test_are_the_roots_and_what_lies_in_them(shared: Path) -> None:
    """The root itself, a folder in it, and one deeper."""
    assert keys(shared) == ["team/a.md", "team/deep/b.md"]
    assert keys(shared / "team") == ["a.md", "deep/b.md"]
    assert keys(shared / "team" / "deep") == ["b.md"]


@pytest.mark.parametrize(
    "path", ["secrets", "shared-too", "shared/../secrets", "shared/team/../../secrets", ""]
)
def test_are_nothing_else_however_it_is_spelt(shared: Path, path: str) -> None:
    """Not beside a root, not by a longer name, not by climbing."""
    with pytest.raises(ConfigRejected, match="CATCHMENT_FOLDER_ROOTS"):
        keys(f"{shared.parent}/{path}")


def test_are_refused_alike_whether_they_exist_or_not(shared: Path) -> None:
    """The answer says nothing about the machine."""
    told = set()
    for name in ("secrets", "no-such-folder"):
        with pytest.raises(ConfigRejected) as caught:
            keys(shared.parent / name)
        told.add(str(caught.value))
    assert len(told) == 1 and "secrets" not in told.pop()


def test_are_not_left_by_a_link(shared: Path) -> None:
    """A link in a root that leads out of it is refused as a folder, and not followed below one."""
    (shared / "out").symlink_to(shared.parent / "secrets")
    with pytest.raises(ConfigRejected):
        keys(shared / "out")
    assert keys(shared) == ["team/a.md", "team/deep/b.md"]
    (shared / "inside").symlink_to(shared / "team")
    assert keys(shared / "inside") == ["a.md", "deep/b.md"]


def test_are_not_left_by_a_link_that_comes_between_look_and_opening(shared: Path) -> None:
    """The way down is walked without following links."""
    real = os.path.realpath(shared)
    with Root(str(shared / "team"), above=real) as root:
        assert root.is_still_there()
    path = str(shared / "team")
    (shared / "team").rename(shared / "was")
    (shared / "team").symlink_to(shared.parent / "secrets")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os.path, "realpath", str)
        with pytest.raises((ConfigRejected, PermissionMissing, SourceDown)):
            Root(path, above=real)


def test_never_hold_this_installation(shared: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its folder holds secrets: neither it, nor anything in it or above it, is allowed."""
    home = shared / "home"
    (home / "prefect").mkdir(parents=True)
    monkeypatch.setenv("CATCHMENT_HOME", str(home))
    home_settings.cache_clear()
    try:
        for path in (home, home / "prefect", shared):
            with pytest.raises(ConfigRejected):
                keys(path)
        assert keys(shared / "team") == ["a.md", "deep/b.md"]
    finally:
        home_settings.cache_clear()
