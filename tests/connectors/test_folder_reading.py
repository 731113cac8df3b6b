"""Reading and looking up single files: what is read is what was meant, and never anything outside (24)."""

from __future__ import annotations

import errno
import os
import stat
import threading
from pathlib import Path
from typing import Any

import pytest

from catchment.kit import Content, Item, ItemUnreadable, PermissionMissing, Scope, SourceDown
from connectors.folder import Folder, FolderConfig

ALL = Scope(".", "all")
MIB = 1024 * 1024


def folder(root: Path, **settings: Any) -> Folder:
    return Folder(FolderConfig(path=str(root), **settings))


def only_item(source: Folder) -> Item:
    (item,) = [event for event in source.listing(ALL) if isinstance(event, Item)]
    return item


def fetch_error(source: Folder, item: Item) -> str:
    with pytest.raises(ItemUnreadable) as raised:
        source.fetch(item)
    assert raised.value.key == item.key
    return raised.value.reason


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file in a sub-folder of the source, last changed long ago."""
    root = tmp_path / "root"
    (root / "in").mkdir(parents=True)
    path = root / "in/a.txt"
    path.write_bytes(b"old text")
    os.utime(path, ns=(1, 1_600_000_000_000_000_000))
    return path


@pytest.fixture
def source(file: Path) -> Folder:
    return folder(file.parent.parent)


class TestFetch:
    def test_a_small_file_comes_whole_with_the_item_as_listed(self, source: Folder) -> None:
        """Nothing changed, so the fresh item equals the listed one."""
        item = only_item(source)
        assert source.fetch(item) == Content(b"old text", "text/plain", item)

    def test_a_file_changed_since_the_listing_comes_with_its_new_version(
        self, source: Folder, file: Path
    ) -> None:
        """Text and version belong together."""
        item = only_item(source)
        file.write_bytes(b"new text")
        content = source.fetch(item)
        assert content.body == b"new text"
        assert content.item == only_item(source)
        assert content.item.version != item.version

    def test_a_large_file_is_streamed(self, source: Folder, file: Path) -> None:
        """Above 1 MiB nothing is held in memory."""
        file.write_bytes(b"x" * (MIB + 1))
        content = source.fetch(only_item(source))
        assert not isinstance(content.body, bytes)
        with content.stream() as stream:
            assert stream.read() == b"x" * (MIB + 1)

    @pytest.mark.parametrize("size", [0, 8, MIB, MIB + 1])
    def test_a_file_that_grows_while_it_is_read_gives_what_it_held_before(
        self, source: Folder, file: Path, size: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Line 24: a consistent beginning, under the version from before: the next run reads it again."""
        file.write_bytes(b"x" * size)
        os.utime(file, ns=(1, 1_600_000_000_000_000_000))
        item = only_item(source)
        real_fstat = os.fstat

        def growing(fd: int) -> os.stat_result:
            facts = real_fstat(fd)
            if stat.S_ISREG(facts.st_mode):
                with file.open("ab") as log:
                    log.write(b"more")
            return facts

        monkeypatch.setattr(os, "fstat", growing)
        content = source.fetch(item)
        monkeypatch.undo()
        with content.stream() as stream:
            assert stream.read() == b"x" * size
        assert content.item == item
        assert only_item(source).version != item.version

    def test_a_file_that_is_cut_while_it_is_read_ends_early(self, source: Folder, file: Path) -> None:
        """The stream ends; the version from before makes the next run read it again."""
        file.write_bytes(b"x" * (2 * MIB))
        content = source.fetch(only_item(source))
        os.truncate(file, 10)
        with content.stream() as stream:
            assert stream.read() == b"x" * 10

    @pytest.mark.parametrize(("age", "waited"), [(0.005, 0.015), (0.03, None), (-5.0, None), (1e6, None)])
    def test_a_file_written_just_now_is_given_time_to_settle(
        self, source: Folder, file: Path, monkeypatch: pytest.MonkeyPatch, age: float, waited: float | None
    ) -> None:
        """Two changes in one tick of the kernel's clock bear one time, so the read waits the tick out."""
        written = file.stat().st_mtime
        monkeypatch.setattr("connectors.folder.connector.time.time", lambda: written + age)
        waits: list[float] = []

        class Stop(threading.Event):
            def wait(self, timeout: float | None = None) -> bool:
                waits.append(timeout or 0)
                file.write_bytes(b"written meanwhile")
                return False

        source.session.stop = Stop()
        content = source.fetch(only_item(source))
        assert waits == ([pytest.approx(waited, abs=1e-5)] if waited else [])
        assert content.body == (b"written meanwhile" if waited else b"old text")
        assert content.item == only_item(source)


class TestFetchRefuses:
    def test_a_file_that_is_gone_is_gone(self, source: Folder, file: Path) -> None:
        """Whether the file went, or its folder."""
        item = only_item(source)
        file.unlink()
        assert fetch_error(source, item) == "gone"
        file.parent.rmdir()
        assert fetch_error(source, item) == "gone"

    @pytest.mark.parametrize(
        ("number", "reason"),
        [(errno.EACCES, "permission"), (errno.EPERM, "permission"), (errno.EIO, "io_error")],
    )
    def test_an_unreadable_file_is_listed_and_costs_only_itself(
        self, source: Folder, monkeypatch: pytest.MonkeyPatch, number: int, reason: str
    ) -> None:
        """Line 24: the listing is complete; reading says whether it is a permission or the disk."""
        real_open = os.open

        def refusing(path: Any, flags: int, mode: int = 0o777, *, dir_fd: int | None = None) -> int:
            if path == b"a.txt":
                raise OSError(number, os.strerror(number), path)
            return real_open(path, flags, mode, dir_fd=dir_fd)

        monkeypatch.setattr(os, "open", refusing)
        assert fetch_error(source, only_item(source)) == reason

    @pytest.mark.parametrize("size", [8, 2 * MIB])
    def test_a_disk_error_while_reading_is_the_items_error(
        self, source: Folder, file: Path, monkeypatch: pytest.MonkeyPatch, size: int
    ) -> None:
        """Also when it comes in the middle of a stream."""
        file.write_bytes(b"x" * size)
        item = only_item(source)

        def failing(*_: Any) -> int:
            raise OSError(errno.EIO, os.strerror(errno.EIO))

        monkeypatch.setattr(os, "read", failing)
        monkeypatch.setattr(os, "readv", failing)
        with pytest.raises(ItemUnreadable) as raised, source.fetch(item).stream() as stream:
            stream.read()
        assert raised.value.reason == "io_error"

    def test_lack_of_descriptors_is_no_items_fault(
        self, source: Folder, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The run stops and tries again, instead of recording every file as failed."""
        item = only_item(source)

        def failing(*_: Any, **__: Any) -> int:
            raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

        monkeypatch.setattr(os, "stat", failing)
        with pytest.raises(SourceDown):
            source.fetch(item)

    def test_a_file_swapped_for_a_link_to_outside_is_not_read(self, source: Folder, file: Path) -> None:
        """Between listing and reading, at the last moment, with following switched on or off."""
        item = only_item(source)
        secret = file.parent.parent.parent / "secret"
        secret.write_text("secret")
        file.unlink()
        file.symlink_to(secret)
        assert fetch_error(source, item) == "symlink"
        assert fetch_error(folder(file.parent.parent, follow_symlinks=True), item) == "symlink"

    def test_a_file_swapped_between_look_and_opening_is_not_read(
        self, source: Folder, file: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The look before opening is a courtesy; opening itself refuses links and special files."""
        item = only_item(source)
        secret = file.parent.parent.parent / "secret"
        secret.write_text("secret")
        facts = file.stat()
        real_stat = os.stat

        def stale(path: Any, **how: Any) -> os.stat_result:
            return facts if path == b"a.txt" else real_stat(path, **how)

        monkeypatch.setattr(os, "stat", stale)
        file.unlink()
        file.symlink_to(secret)
        assert fetch_error(source, item) == "gone"
        file.unlink()
        os.mkfifo(file)
        assert fetch_error(source, item) == "special_file"

    def test_a_folder_swapped_for_a_link_to_outside_is_not_passed(self, source: Folder, file: Path) -> None:
        """Links are refused on the whole way, not only at its end."""
        item = only_item(source)
        outside = file.parent.parent.parent / "outside"
        file.parent.rename(outside)
        file.parent.symlink_to(outside)
        assert fetch_error(source, item) == "gone"
        assert fetch_error(folder(file.parent.parent, follow_symlinks=True), item) == "symlink"

    def test_a_file_swapped_for_a_fifo_does_not_hang(self, source: Folder, file: Path) -> None:
        """Nobody writes into it; opening it in the ordinary way would wait for ever."""
        item = only_item(source)
        file.unlink()
        os.mkfifo(file)
        assert fetch_error(source, item) == "special_file"

    @pytest.mark.parametrize("key", ["../secret", "/etc/hostname", "in/../../secret", "in//a.txt", "%C3%A9"])
    def test_a_key_that_leads_elsewhere_is_refused(self, source: Folder, file: Path, key: str) -> None:
        """Whatever the caller hands in, nothing outside is touched."""
        (file.parent.parent.parent / "secret").write_text("secret")
        assert fetch_error(source, Item(key=key, path=key)) == "gone"

    def test_a_folder_made_again_is_read_anew(self, source: Folder, file: Path) -> None:
        """What was held open from the last read is not taken for what is there now."""
        item = only_item(source)
        source.fetch(item)
        file.unlink()
        file.parent.rmdir()
        file.parent.mkdir()
        file.write_bytes(b"made again")
        assert source.fetch(item).body == b"made again"

    def test_after_a_new_listing_nothing_of_the_old_folder_is_read(self, source: Folder, file: Path) -> None:
        """The folder was replaced as a whole between two listings of one connector object."""
        source.fetch(only_item(source))
        root = file.parent.parent
        root.rename(root.parent / "elsewhere")
        file.parent.mkdir(parents=True)
        file.write_bytes(b"in the new folder")
        assert source.fetch(only_item(source)).body == b"in the new folder"

    def test_files_of_an_unmounted_disk_are_not_gone(self, source: Folder, file: Path) -> None:
        """Another folder in place of the one listed is an error of the source, not of each file."""
        item = only_item(source)
        root = file.parent.parent
        root.rename(root.parent / "elsewhere")
        root.mkdir()
        with pytest.raises(SourceDown):
            source.fetch(item)


class TestFind:
    def test_each_name_is_answered_once(self, source: Folder, file: Path) -> None:
        """Files with the item that a listing gives, everything else with None."""
        root = file.parent.parent
        (root / ".hidden").touch()
        os.mkfifo(root / "pipe")
        names = ["in/a.txt", "missing", "in", ".hidden", "pipe", "../secret", "in/a.txt/x", "%C3%A9"]
        answers = {found.name: found.item for found in source.find([ALL], names)}
        assert list(answers) == names
        listed = {event.key: event for event in source.listing(ALL) if isinstance(event, Item)}
        assert answers == {name: listed.get(name) for name in names}
        assert set(listed) == {"in/a.txt", "pipe"}

    def test_only_the_scopes_at_hand_are_looked_into(self, file: Path) -> None:
        """A name of another scope is not this call's business."""
        root = file.parent.parent
        (root / "other").mkdir()
        (root / "other/b.txt").touch()
        source = folder(root, folders=["in", "other"])
        answers = {f.name: f.item for f in source.find([Scope("in", "in")], ["in/a.txt", "other/b.txt"])}
        assert answers["in/a.txt"] is not None
        assert answers["other/b.txt"] is None

    def test_followed_links_are_found_as_they_are_listed(self, file: Path) -> None:
        """To files, to folders, and those that are refused."""
        root = file.parent.parent
        (root / "link").symlink_to("in")
        (root / "file.txt").symlink_to("in/a.txt")
        (root / "in/up").symlink_to("..")
        for follow in (False, True):
            source = folder(root, follow_symlinks=follow)
            listed = {event.key: event for event in source.listing(ALL) if isinstance(event, Item)}
            names = ["link/a.txt", "file.txt", "in/up", "in/a.txt", "link", "link/up", "in/up/in/a.txt"]
            answers = {found.name: found.item for found in source.find([ALL], names)}
            assert answers == {name: listed.get(name) for name in names}

    def test_a_name_spelled_in_another_case_is_not_found(
        self, source: Folder, file: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Also where the file system takes both spellings for one, as a listing shows only one of them."""
        real_stat = os.stat

        def careless(path: Any, **how: Any) -> os.stat_result:
            return real_stat(path.lower() if isinstance(path, bytes) else path, **how)

        monkeypatch.setattr(os, "stat", careless)
        answers = {found.name: found.item for found in source.find([ALL], ["in/A.TXT", "in/a.txt"])}
        assert answers["in/A.TXT"] is None
        assert answers["in/a.txt"] is not None

    def test_a_name_that_cannot_be_looked_at_is_not_absent(
        self, source: Folder, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The others are answered first; then the error says that nothing is known of this one."""
        real_stat = os.stat

        def refusing(path: Any, **how: Any) -> os.stat_result:
            if path == b"closed.txt":
                raise PermissionError(errno.EACCES, "denied")
            return real_stat(path, **how)

        monkeypatch.setattr(os, "stat", refusing)
        answered: list[str] = []
        with pytest.raises(PermissionMissing):
            for found in source.find([ALL], ["in/closed.txt", "in/a.txt"]):
                answered.append(found.name)
        assert answered == ["in/a.txt"]

    def test_in_an_empty_folder_nothing_is_proved_absent(self, tmp_path: Path) -> None:
        """An unmounted disk leaves an empty folder; its documents must not go one by one."""
        with pytest.raises(SourceDown):
            list(folder(tmp_path).find([ALL], ["a.txt"]))
        (tmp_path / "b.txt").touch()
        assert [found.item for found in folder(tmp_path).find([ALL], ["a.txt"])] == [None]
