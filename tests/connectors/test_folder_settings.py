"""Settings of a folder source: addresses, identity, check and browse."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from catchment.kit import ConfigRejected, Health, OutOfScope
from connectors.folder import Folder, FolderConfig


def folder(root: Path, **settings: Any) -> Folder:
    return Folder(FolderConfig(path=str(root), **settings))


class TestConfig:
    def test_the_path_is_absolute_whatever_was_written(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """It means the same from any working directory."""
        monkeypatch.chdir(tmp_path)
        monkeypatch.setenv("HOME", "/home/ada")
        paths = [FolderConfig(path=path).path for path in ("~/docs", "docs/", "./docs//x", "/a/./b/")]
        assert paths == ["/home/ada/docs", f"{tmp_path}/docs", f"{tmp_path}/docs/x", "/a/b"]

    def test_dots_behind_a_link_mean_what_they_mean_to_the_system(self, tmp_path: Path) -> None:
        """The folder above the link's target, not the one above the link."""
        (tmp_path / "far/away").mkdir(parents=True)
        (tmp_path / "link").symlink_to("far/away")
        assert FolderConfig(path=f"{tmp_path}/link/..").path == str(tmp_path / "far")

    @pytest.mark.parametrize("path", ["", "  ", "a\0b"])
    def test_a_path_that_names_nothing_is_refused(self, path: str) -> None:
        """Empty would mean the working directory."""
        with pytest.raises(ValidationError):
            FolderConfig(path=path)

    @pytest.mark.parametrize(
        ("folders", "kept"),
        [
            (["b", "a/", "./a", "a/b", "ab"], ["a", "ab", "b"]),
            (["a", "."], []),
            (["/data/docs/x"], ["x"]),
            (["/data/docs"], []),
            (["/data/docs2"], ["/data/docs2"]),
        ],
    )
    def test_sub_folders_are_written_one_way_without_nested_ones(
        self, folders: list[str], kept: list[str]
    ) -> None:
        """No file belongs to two scopes."""
        assert FolderConfig(path="/data/docs", folders=folders).folders == kept

    def test_a_saved_configuration_reads_back_equal(self, tmp_path: Path) -> None:
        """Normalising twice changes nothing."""
        config = FolderConfig(path=str(tmp_path), folders=["b/", "a"], exclude=["*.log"])
        assert FolderConfig.model_validate(config.model_dump(mode="json")) == config


class TestAddress:
    def test_paths_and_file_urls_are_recognised(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Absolute, relative, in the home directory, as a URL, or a bare name that exists."""
        docs = tmp_path / "my docs"
        docs.mkdir()
        monkeypatch.chdir(tmp_path)
        monkeypatch.setenv("HOME", str(tmp_path))
        for text in (
            str(docs),
            "./my docs",
            "my docs",
            "~/my docs",
            docs.as_uri(),
            f"file://localhost{docs}/",
        ):
            address = Folder.address(text)
            assert address is not None, text
            assert (address.name, address.config, address.display) == (
                "my docs",
                {"path": str(docs)},
                str(docs),
            )
            assert address.identity == Folder.identity({"path": str(docs)})

    @pytest.mark.parametrize(
        "text", ["s3://bucket", "https://example.com/x", "github", "owner/repo", "", "a\0b"]
    )
    def test_what_belongs_to_others_is_left_to_them(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str
    ) -> None:
        """Other schemes, and words that name nothing here."""
        monkeypatch.chdir(tmp_path)
        assert Folder.address(text) is None

    @pytest.mark.parametrize(
        "text", ["./none", "/none/at/all", "~/none", "../none", "file:///none", "file://host/x"]
    )
    def test_a_path_without_a_folder_names_the_setting(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str
    ) -> None:
        """It is meant for this source and cannot work."""
        monkeypatch.chdir(tmp_path)
        with pytest.raises(ConfigRejected) as raised:
            Folder.address(text)
        assert (raised.value.setting, bool(raised.value.remedy)) == ("path", True)

    def test_a_file_is_not_taken_for_a_folder(self, tmp_path: Path) -> None:
        """The error says what it is."""
        (tmp_path / "file").touch()
        with pytest.raises(ConfigRejected, match="is not a folder"):
            Folder.address(str(tmp_path / "file"))

    def test_two_ways_to_one_folder_are_one_source(self, tmp_path: Path) -> None:
        """Over a link too; but other sub-folders are another source."""
        (tmp_path / "real").mkdir()
        (tmp_path / "link").symlink_to("real")
        one, other = ({"path": f"{tmp_path}/{name}"} for name in ("real", "link/"))
        assert Folder.identity(one) == Folder.identity(other)
        assert Folder.identity(one) != Folder.identity({**one, "folders": ["a"]})


class TestCheck:
    def states(self, source: Folder) -> dict[str, Health]:
        return {capability.name: capability.health for capability in source.check()}

    def test_a_good_folder_is_well(self, tmp_path: Path) -> None:
        """With a file to try, and without one."""
        well = dict.fromkeys(("path", "list", "read"), Health.OK)
        assert self.states(folder(tmp_path)) == well
        (tmp_path / "a.txt").touch()
        assert self.states(folder(tmp_path)) == well

    def test_a_missing_folder_is_misconfigured(self, tmp_path: Path) -> None:
        """The setting and a remedy are named; what was not tried says so."""
        path, listing, reading = folder(tmp_path / "none").check()
        assert (path.health, path.setting, bool(path.remedy)) == (Health.MISCONFIGURED, "path", True)
        assert {listing.health, reading.health} == {Health.MISCONFIGURED}
        assert "Not tried" in listing.message

    @pytest.mark.parametrize(("name", "denied"), [(".", "list"), (b"a.txt", "read")])
    def test_what_is_denied_is_told_apart(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str | bytes, denied: str
    ) -> None:
        """A folder that cannot be listed is another matter than a file that cannot be read."""
        (tmp_path / "a.txt").touch()
        real_open = os.open

        def refusing(path: Any, flags: int, mode: int = 0o777, *, dir_fd: int | None = None) -> int:
            if path == name:
                raise PermissionError(errno.EACCES, "denied")
            return real_open(path, flags, mode, dir_fd=dir_fd)

        monkeypatch.setattr(os, "open", refusing)
        results = folder(tmp_path).check()
        first_bad = next(capability for capability in results if capability.health is not Health.OK)
        assert (first_bad.name, first_bad.health, bool(first_bad.remedy)) == (denied, Health.DENIED, True)

    def test_a_missing_sub_folder_is_found_out(self, tmp_path: Path) -> None:
        """Before the first run, not in it."""
        bad = [c for c in folder(tmp_path, folders=["none"]).check() if c.health is not Health.OK]
        assert (bad[0].name, bad[0].setting) == ("list", "folders")


class TestBrowse:
    def test_entries_come_in_natural_order_a_page_at_a_time(self, tmp_path: Path) -> None:
        """2 before 10, 200 a page, and what goes between two pages shifts nothing."""
        for number in range(450):
            (tmp_path / f"file{number}").touch()
        source = folder(tmp_path)
        first = source.browse()
        assert [resource.id for resource in first.resources] == [f"file{number}" for number in range(200)]
        (tmp_path / "file7").unlink()
        second = source.browse(page=first.next_page)
        assert [resource.id for resource in second.resources] == [
            f"file{number}" for number in range(200, 400)
        ]
        third = source.browse(page=second.next_page)
        assert (len(third.resources), third.next_page) == (50, None)

    def test_a_full_last_page_has_no_next(self, tmp_path: Path) -> None:
        """No empty page follows."""
        for number in range(200):
            (tmp_path / f"{number}").touch()
        assert folder(tmp_path).browse().next_page is None

    def test_what_is_chosen_works_as_a_sub_folder(self, tmp_path: Path) -> None:
        """Ids are what the configuration and further browsing take; ignored entries are not offered."""
        (tmp_path / "a/b").mkdir(parents=True)
        (tmp_path / "a/b/x.txt").write_text("four")
        (tmp_path / ".hidden").mkdir()
        (tmp_path / "build").mkdir()
        (tmp_path / ".gitignore").write_text("build/\n")
        source = folder(tmp_path, folders=["a/b"])
        (a,) = source.browse().resources
        (b,) = source.browse(a.id).resources
        (x,) = source.browse(b.id).resources
        assert (a.id, a.kind, a.has_children) == ("a", "folder", True)
        assert (x.id, x.name, x.kind, x.size) == ("a/b/x.txt", "x.txt", "file", 4)
        assert [scope.key for scope in folder(tmp_path, folders=[b.id]).scopes()] == [b.id]

    def test_links_are_offered_only_where_they_are_followed(self, tmp_path: Path) -> None:
        """What would not be read cannot be chosen."""
        (tmp_path / "real").mkdir()
        (tmp_path / "link").symlink_to("real")
        (tmp_path / "out").symlink_to("/")
        assert [r.id for r in folder(tmp_path).browse().resources] == ["real"]
        assert [r.id for r in folder(tmp_path, follow_symlinks=True).browse().resources] == ["link", "real"]

    def test_a_parent_outside_or_missing_is_refused(self, tmp_path: Path) -> None:
        """Nothing outside can be looked at."""
        with pytest.raises(OutOfScope):
            folder(tmp_path).browse("../x")
        with pytest.raises(ConfigRejected):
            folder(tmp_path).browse("missing")
