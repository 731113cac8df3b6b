"""Folders under the control of the kit: a real one, and a system that refuses to open what it should."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, ClassVar

from catchment.conformance import Ability, Setup, World
from catchment.core.clock import PassingClock
from connectors.folder import Folder

FIRST, SECOND = "first", "second"
"""Two folders inside: what is listed, and what is listed after it."""


class FolderWorld(World):
    """Texts in two folders."""

    connector = Folder
    not_http = "files are read through the operating system"
    cannot: ClassVar[Mapping[Ability, str]] = {
        Ability.PAGE_SIZE: "a folder is read entry by entry",
    }
    old_configs = ({"path": "/srv/docs"}, {"path": "/srv/docs", "folders": ["a"], "hidden": True})

    def __init__(self, folder: Path, clock: PassingClock) -> None:
        super().__init__(folder, clock)
        self.root = folder / "docs"
        self._places: dict[str, Path] = {}
        self._removed: dict[str, bytes] = {}
        self._refused: dict[str | bytes, int] = {}
        self._act: Callable[[], object] | None = None
        for name in (FIRST, SECOND):
            (self.root / name).mkdir(parents=True)
        self._open = os.open
        os.open = self._opening  # type: ignore[assignment]

    def close(self) -> None:
        os.open = self._open

    def _opening(self, path: Any, flags: int, mode: int = 0o777, *, dir_fd: int | None = None) -> int:
        act, self._act = (self._act, None) if path == SECOND.encode() else (None, self._act)
        if act is not None:
            act()
        if path in self._refused:
            number = self._refused[path]
            raise OSError(number, os.strerror(number), path)
        return self._open(path, flags, mode, dir_fd=dir_fd)

    def config(self) -> dict[str, Any]:
        return {"path": str(self.root)}

    def truth(self) -> dict[str, str]:
        return {self.key(name): place.read_text() for name, place in self._places.items()}

    def key(self, name: str) -> str:
        return self._places[name].relative_to(self.root).as_posix()

    def put(self, name: str, text: str) -> None:
        folder = SECOND if len(self._places) % 2 else FIRST
        self._places[name] = self.root / folder / f"{name}.txt"
        self._places[name].write_text(text)

    def edit(self, name: str, text: str) -> None:
        self._places[name].write_text(text)

    def remove(self, name: str) -> None:
        place = self._places[name]
        self._removed[name] = place.read_bytes()
        place.unlink()
        del self._places[name]

    def restore(self, name: str) -> None:
        self.put(name, self._removed.pop(name).decode())

    def rename(self, name: str, new: str) -> None:
        place = self._places.pop(name)
        self._places[new] = place.rename(place.with_name(f"{new}.txt"))

    def move(self, name: str) -> None:
        place = self._places[name]
        other = FIRST if place.parent.name == SECOND else SECOND
        self._places[name] = place.rename(self.root / other / place.name)

    def big(self, size: int) -> None:
        with (self.root / FIRST / "big.bin").open("wb") as file:
            file.truncate(size)

    def meanwhile(self, act: Callable[[], object]) -> None:
        self._act = act

    def unreachable(self) -> Setup:
        self._refused[str(self.root)] = errno.EIO
        return Setup()

    def missing_scope(self) -> Setup:
        self._refused[str(self.root)] = errno.EACCES
        return Setup()

    def wrong_setting(self) -> Setup:
        return Setup({"path": str(self.root / "nowhere")})

    def mend(self) -> None:
        self._refused.clear()
        self._act = None

    def fail_listing(self, after_pages: int) -> None:
        for name in (FIRST, SECOND)[after_pages:]:
            self._refused[name.encode()] = errno.EIO

    def fail_body(self, name: str) -> None:
        self._refused[self._places[name].name.encode()] = errno.EIO
