"""What a person fills in for a folder, and how a path on the command line becomes that."""

# `pathlib` reads `~`, `..` and bytes differently from the system calls that follow.
# ruff: noqa: PTH100, PTH110, PTH111, PTH112, PTH119

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, unquote_to_bytes, urlsplit

from pydantic import Field, field_validator, model_validator

from catchment.kit import ConfigRejected, SourceAddress, SourceConfig

EVERYTHING = "."
"""Key of the scope that is the whole folder."""


class FolderConfig(SourceConfig):
    """Settings of a folder source."""

    path: str = Field(
        title="Folder",
        description="Folder on the machine that runs Catchment; ~ stands for the home directory.",
    )
    folders: list[str] = Field(
        default_factory=list,
        title="Sub-folders",
        description="Only these folders below it, written relative to it; empty means everything.",
    )
    follow_symlinks: bool = Field(
        default=False,
        title="Follow symbolic links",
        description="Also read what links inside the folder point to, as long as that lies inside it too.",
    )
    hidden: bool = Field(
        default=False,
        title="Hidden files",
        description="Also read files and folders whose names begin with a dot.",
    )
    ignore_files: bool = Field(
        default=True,
        title="Honour ignore files",
        description="Leave out what .gitignore and .catchmentignore name, and the usual junk.",
    )

    @field_validator("path")
    @classmethod
    def _absolute(cls, value: str) -> str:
        if not value.strip():
            raise ValueError("name a folder")
        if "\0" in value:
            raise ValueError("a path has no zero bytes")
        return absolute(value)

    @model_validator(mode="after")
    def _least_folders(self) -> FolderConfig:
        """Write the sub-folders in one way, sorted, without those that lie inside another."""
        wanted = sorted({_relative(folder, self.path) for folder in self.folders})
        if EVERYTHING in wanted:
            wanted = []
        self.folders = [
            folder for folder in wanted if not any(folder.startswith(f"{other}/") for other in wanted)
        ]
        return self


def absolute(text: str) -> str:
    """Return the absolute form of a path, ``~`` expanded.

    ``..`` is resolved by the file system, because behind a symbolic link it leads elsewhere than
    its spelling says.
    """
    expanded = os.path.expanduser(text)
    climbs = ".." in expanded.split("/")
    return os.path.realpath(expanded) if climbs else os.path.abspath(expanded)


def _relative(folder: str, root: str) -> str:
    if folder.startswith("/"):
        if folder.rstrip("/") == root.rstrip("/"):
            return EVERYTHING
        below = folder.removeprefix(root.rstrip("/") + "/")
        if below.startswith("/") or below == folder:
            return folder  # `scopes` refuses it and says why
        folder = below
    return "/".join(part for part in folder.split("/") if part not in ("", ".")) or EVERYTHING


def identity(config: Mapping[str, Any]) -> str:
    """Return a text that is equal for two configurations of the same folder and sub-folders."""
    parsed = FolderConfig.model_validate(dict(config))
    text = f"folder:{os.path.realpath(parsed.path)}"
    return (
        f"{text}?{'&'.join(quote(folder, safe='/') for folder in parsed.folders)}" if parsed.folders else text
    )


def address(text: str) -> SourceAddress | None:
    """Take a path or ``file://`` URL apart; None when the text is neither.

    A text is a path when it begins with ``/``, ``./``, ``../`` or ``~``, or names something that exists.

    Raises:
        ConfigRejected: It is a path, and no folder is there.
    """
    path = _path_in(text.strip())
    if path is None:
        return None
    full = absolute(path)
    if not os.path.exists(full):
        raise no_folder(full)
    if not os.path.isdir(full):
        raise not_a_folder(full)
    config = {"path": full}
    name = os.path.basename(full) or "root"
    return SourceAddress(name=name, config=config, identity=identity(config), display=full)


def _path_in(text: str) -> str | None:
    if not text or "\0" in text:
        return None
    if text.lower().startswith("file://"):
        return _path_of_url(text)
    if "://" in text:
        return None
    looks_so = text.startswith(("/", "./", "../", "~")) or text in (".", "..")
    return text if looks_so or os.path.exists(text) else None


def _path_of_url(url: str) -> str:
    parts = urlsplit(url)
    path = os.fsdecode(unquote_to_bytes(parts.path))
    if parts.netloc.lower() not in ("", "localhost") or not path or "\0" in path:
        raise ConfigRejected(
            "This file URL does not name a folder of this machine.",
            setting="path",
            remedy="Write it as file:///folder/on/this/machine, or give the path itself.",
        )
    return path


def no_folder(path: str, *, setting: str = "path") -> ConfigRejected:
    """Return the error for a folder that is not there."""
    return ConfigRejected(
        f"There is no folder at {path}.",
        setting=setting,
        remedy="Check the spelling; if it lies on another disk or share, mount it first.",
    )


def not_a_folder(path: str, *, setting: str = "path") -> ConfigRejected:
    """Return the error for a path that is something else than a folder."""
    return ConfigRejected(
        f"{path} is not a folder.",
        setting=setting,
        remedy="Give the folder that holds it, and choose files with `include`.",
    )
