"""The connector: what the platform asks of a folder."""

from __future__ import annotations

import errno
import os
import stat
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar, NamedTuple

from catchment.core.clock import iso
from catchment.core.errors import SourceError
from catchment.kit import (
    BrowsePage,
    Capability,
    Complete,
    ConfigRejected,
    Connector,
    Content,
    Found,
    Item,
    ItemUnreadable,
    Kind,
    ListingEvent,
    OutOfScope,
    PermissionMissing,
    Scope,
    Session,
    SourceAddress,
    SourceDown,
)
from catchment.kit.selection import Selection
from connectors.folder import config as settings
from connectors.folder.browse import browse_folder
from connectors.folder.config import EVERYTHING, FolderConfig
from connectors.folder.health import probe
from connectors.folder.items import file_item, file_url
from connectors.folder.names import Parts, to_parts
from connectors.folder.patterns import IgnoreList
from connectors.folder.read import read_body
from connectors.folder.rules import Rules, scope_parts
from connectors.folder.spelling import Spelling
from connectors.folder.tree import DENIED, GONE, LinkRefused, Root, root_error, shortage_stops_all, why
from connectors.folder.walk import Gap, Place, Walk

_SETTLED_SECONDS = 0.02  # Kernels stamp files with a clock that ticks every 1 to 10 ms.


class _Opened(NamedTuple):
    fd: int
    facts: os.stat_result
    url: str
    linked: bool


class Folder(Connector[FolderConfig, None]):
    """The files below one folder of this machine.

    Reads one file after the other: small local files come fastest so. A listing is cheap, so it has
    no positions to resume at; it leaves out what ignore files name and the sync applies the rest.
    """

    slug: ClassVar[str] = "folder"
    display_name: ClassVar[str] = "Folder"
    kind: ClassVar[Kind] = Kind.LISTING
    config_model = FolderConfig
    fetches: ClassVar[int] = 1
    blind_spots: ClassVar[tuple[str, ...]] = (
        "An edit that keeps size, modification time and inode of a file is not seen.",
        "Where the file system keeps times coarsely (FAT: 2 s, some network shares: 1 s), a second edit "
        "in the same tick that keeps the size is not seen.",
        "Where inode numbers change from mount to mount (some FUSE and SMB mounts), every file is read "
        "again after a mount, and moves look like a removal and an addition.",
        "A disk mounted inside the folder that is absent looks like an empty folder; the guard against mass "
        "deletion holds large losses only.",
        "A file that is moved while the folder is being listed may be missed until the next run.",
        "A change of permission bits alone is not seen until the content changes.",
    )

    def __init__(
        self, config: FolderConfig, credentials: None = None, session: Session | None = None
    ) -> None:
        super().__init__(config, credentials, session)
        self._rules = Rules(config, self._read_ignore_list)
        self._listed_root: tuple[int, int] | None = None
        self._reader: Root | None = None
        self._reading = threading.Lock()

    @classmethod
    def address(cls, text: str) -> SourceAddress | None:
        """Recognise paths of folders and ``file://`` URLs.

        Raises:
            ConfigRejected: It is a path, and no folder is there.
        """
        return settings.address(text)

    @classmethod
    def identity(cls, config: Mapping[str, Any]) -> str:
        """Return the real path of the folder, with the sub-folders chosen."""
        return settings.identity(config)

    def check(self) -> list[Capability]:
        """Try to enter the folder (path), to list it (list) and to open a file in it (read)."""
        return probe(self)

    def browse(self, parent_id: str | None = None, page: str | None = None) -> BrowsePage:
        """Return files and folders below a sub-folder, 200 a page, whatever `folders` says.

        Raises:
            OutOfScope: The parent lies outside the folder.
            SourceError: It cannot be read.
        """
        folder = scope_parts(parent_id or EVERYTHING)
        if folder is None:
            raise OutOfScope(f"{parent_id!r} does not lie in this folder.")
        with self.open_root() as root:
            try:
                return browse_folder(root, self._walk(root), self._rules, folder, page)
            except OSError as error:
                raise root_error(error, root.path) from error

    def scopes(self) -> list[Scope]:
        """Return one scope for each sub-folder chosen, or one for everything.

        Raises:
            ConfigRejected: A sub-folder leads outside.
        """
        if not self.config.folders:
            return [Scope(EVERYTHING, self.config.path.rpartition("/")[2] or "/")]
        for folder in self.config.folders:
            if self._leads_outside(folder):
                raise ConfigRejected(
                    f"The sub-folder {folder!r} does not lie inside {self.config.path}.",
                    setting="folders",
                    remedy="Write sub-folders relative to the folder, without .. and links to outside.",
                )
        return [Scope(folder, folder) for folder in self.config.folders]

    def listing(self, scope: Scope, resume: str | None = None) -> Iterator[ListingEvent]:  # noqa: ARG002
        """Yield every file in scope, folder by folder, and what is refused; last `Complete`.

        Raises:
            ConfigRejected: The folder or the sub-folder is not there, or ignore files leave it out.
            PermissionMissing: Something in it may not be read; all the rest was yielded before.
            SourceDown: Something in it cannot be read for another reason, or it was replaced meanwhile.
            RunCancelled: The run was asked to stop.
        """
        began = iso(self.session.clock.now())
        self.close()
        with self.open_root() as root:
            self._listed_root = root.identity
            self._rules.forget()
            walk = self._walk(root)
            yield from walk.items(self._start(root, walk, scope))
            self._refuse_gaps(root, walk.gaps)
            if not root.is_still_there():
                raise SourceDown(f"The folder {root.path} was removed or replaced while it was listed.")
        yield Complete(mark=began)

    def fetch(self, item: Item) -> Content:
        """Return what the file holds now: bytes up to 1 MiB, else a stream, and the fresh item.

        The version that comes with it was taken before the first byte was read, so that a change
        during the reading is seen by the next listing. Waits up to 20 ms for a file written just now.

        Raises:
            ItemUnreadable: gone, permission, symlink, special_file or io_error.
            SourceError: The folder itself cannot be read, or is another one than was listed.
        """
        parts = to_parts(item.key)
        if parts is None:
            raise ItemUnreadable(item.key, "gone", "No file of this folder can have this key.")
        try:
            with shortage_stops_all(), self._reading:
                opened = self._open(parts)
        except LinkRefused as refused:
            raise _refused(item.key, refused) from refused
        except OSError as error:
            raise _unreadable(item.key, error) from error
        facts = self._settled(opened.fd, opened.facts)
        fresh = file_item(item.key, opened.url, facts, linked=opened.linked)
        return Content(read_body(opened.fd, facts.st_size, item.key), fresh.content_type, fresh)

    def find(self, scopes: Sequence[Scope], names: Sequence[str]) -> Iterator[Found]:
        """Look up files by path, without listing; names outside the scopes are answered with None.

        Raises:
            PermissionMissing: One of them cannot be looked at; the others were answered before.
            SourceDown: So too, or the folder is empty as an unmounted one is.
        """
        tops = [parts for scope in scopes if (parts := scope_parts(scope.key)) is not None]
        with self.open_root() as root:
            walk = self._walk(root)
            spelling = Spelling(root, walk)
            gaps: list[Gap] = []
            has_content = None
            for name in names:
                parts = to_parts(name)
                try:
                    if parts is None or not _lies_in(tops, parts) or not self._rules.admits(parts):
                        yield Found(name, None)
                        continue
                    found = _exact_entry(walk, spelling, parts)
                except OSError as error:
                    gaps.append(Gap(name, error))
                    continue
                if found is None and has_content is None:
                    has_content = _require_content(root)
                yield Found(name, found)
            self._refuse_gaps(root, gaps)

    def admits(self, path: str) -> bool:
        """Tell whether a path lies in the chosen sub-folders and nothing leaves it out.

        Where ignore files cannot be read the answer is yes: nothing is dropped for want of an answer.
        """
        parts = to_parts(path)
        if parts is None:
            return False
        try:
            return self._rules.admits(parts)
        except (OSError, SourceError):
            return True

    def close(self) -> None:
        """Let go of the folders held open between two reads."""
        with self._reading:
            self._drop_reader()

    def open_root(self) -> Root:
        """Open the folder.

        Raises:
            ConfigRejected: Nothing is there, or no folder; or whoever made this connector may not
                read folders of this machine.
            PermissionMissing: It may not be entered.
            SourceDown: The disk or server behind it answers with an error.
        """
        if self.session.trusted:
            return Root(self.config.path)
        above = self.session.folder_root(self.config.path)
        if above is None:
            raise ConfigRejected(
                "This connector may not read folders of this machine, or not this one.",
                setting="path",
                remedy="Have the operator add it to CATCHMENT_FOLDER_ROOTS, or make the connector at the "
                "command line.",
            )
        return Root(self.config.path, above=above)

    def _open(self, parts: Parts) -> _Opened:
        """Open a file, by way of the folder that the file before lay in where that is the same.

        What seems gone is looked for once more from the folder's own path: what was held open may
        have been removed and made again meanwhile, or the whole folder unmounted.
        """
        if self._reader is not None:
            try:
                return self._open_in(self._reader, parts)
            except OSError as error:
                self._drop_reader()
                if error.errno not in GONE:
                    raise
        root = self.open_root()
        if self._listed_root not in (None, root.identity):
            root.close()
            raise SourceDown(f"The folder {root.path} was replaced or unmounted during the run.")
        self._reader = root
        return self._open_in(root, parts)

    def _open_in(self, root: Root, parts: Parts) -> _Opened:
        real = root.real_parts(parts) if self.config.follow_symlinks else parts
        fd, facts = root.open_file(real)
        url = file_url(root.raw.rstrip(b"/") + b"/" + b"/".join(parts))
        return _Opened(fd, facts, url, linked=real != parts)

    def _drop_reader(self) -> None:
        if self._reader is not None:
            self._reader.close()
            self._reader = None

    def _walk(self, root: Root) -> Walk:
        return Walk(root, self._rules, self.session, follow=self.config.follow_symlinks)

    def _start(self, root: Root, walk: Walk, scope: Scope) -> Place:
        """Return where the listing of a scope begins."""
        shown = scope_parts(scope.key)
        if shown is None:
            raise _bad_sub_folder(scope.key, "cannot be the path of a sub-folder")
        try:
            real = walk.real(shown)
            if shown and not stat.S_ISDIR(root.facts(real).st_mode):
                raise _bad_sub_folder(scope.key, "is a link that is not followed, or no folder")
            if shown and self._rules.ignored(shown, is_folder=True):
                raise _bad_sub_folder(scope.key, "is left out by an ignore file")
            return Place(shown, real, self._rules.ignores_in(shown[:-1]))
        except LinkRefused as error:
            raise _bad_sub_folder(scope.key, f"is not followed ({error.refusal})") from error
        except OSError as error:
            if error.errno in GONE:
                raise _bad_sub_folder(scope.key, "is not there") from error
            raise root_error(error, f"{root.path}/{scope.key}") from error

    def _leads_outside(self, folder: str) -> bool:
        parts = to_parts(folder)
        if parts is None:
            return True
        try:
            with self.open_root() as root:
                root.resolve(parts)
        except LinkRefused as refused:
            return "outside" in refused.refusal
        except (OSError, SourceError):
            return False  # the listing says what is the matter
        return False

    def _refuse_gaps(self, root: Root, gaps: list[Gap]) -> None:
        """Raise when anything stayed unseen that `exclude` does not leave out as a whole."""
        relevant = [gap for gap in gaps if not self._is_excluded(gap.key)]
        if not relevant:
            return
        first = relevant[0]
        others = f" and {len(relevant) - 1} more" if len(relevant) > 1 else ""
        message = f"In {root.path}, {first.key}{others} cannot be looked at: {why(first.error)}."
        if all(gap.error.errno in DENIED for gap in relevant):
            raise PermissionMissing(
                message,
                remedy="Give the account that runs Catchment permission to read it, or leave it out "
                "with `exclude`. Until then nothing is removed from this scope.",
            )
        raise SourceDown(message, remedy="Nothing is removed from this scope until it can be read.")

    def _is_excluded(self, folder: str) -> bool:
        exclude = tuple(self.config.exclude)
        if not exclude or any(pattern.startswith("!") for pattern in exclude):
            return False  # an exception may lie in there
        selection = Selection(include=(), exclude=exclude, max_file_bytes=1, max_age_seconds=None)
        return not selection.admits(f"{folder}/\x01")

    def _read_ignore_list(self, folder: Parts) -> IgnoreList | None:
        with self.open_root() as root:
            try:
                return root.ignore_list(root.real_parts(folder) if self.config.follow_symlinks else folder)
            except LinkRefused:
                return None

    def _settled(self, fd: int, facts: os.stat_result) -> os.stat_result:
        """Wait until another change of the file would be given another time than it has now."""
        age = time.time() - facts.st_mtime
        if not 0 <= age < _SETTLED_SECONDS:
            return facts
        self.session.stop.wait(_SETTLED_SECONDS - age)
        return os.fstat(fd)


def _lies_in(tops: list[Parts], parts: Parts) -> bool:
    return any(parts[: len(top)] == top for top in tops)


def _exact_entry(walk: Walk, spelling: Spelling, parts: Parts) -> Item | None:
    found = walk.entry(parts)
    if found is None:
        return None
    try:
        return found if spelling.is_exact(parts) else None
    except LinkRefused:
        return None


def _require_content(root: Root) -> bool:
    """Return True when the folder holds anything: only then absence proves something."""
    try:
        _, names = root.names(())
    except OSError as error:
        raise root_error(error, root.path) from error
    if not names:
        raise SourceDown(
            f"The folder {root.path} is empty, as it would be if its disk were not mounted.",
            remedy="Mount it; if it really is empty, a complete run removes its documents under the guard.",
        )
    return True


def _bad_sub_folder(folder: str, fault: str) -> ConfigRejected:
    return ConfigRejected(
        f"The sub-folder {folder!r} {fault}.",
        setting="folders",
        remedy="Bring it back, or take it out of the setting; its documents then go with it.",
    )


def _refused(key: str, refused: LinkRefused) -> ItemUnreadable:
    code = refused.refusal.partition(":")[0]
    reason = {"folder": "gone", "broken_link": "gone"}.get(code, code)
    return ItemUnreadable(key, reason, f"In its place is now: {refused.refusal}.")


def _unreadable(key: str, error: OSError) -> ItemUnreadable:
    if error.errno in GONE:
        return ItemUnreadable(key, "gone", "The file is no longer there.")
    if error.errno in DENIED:
        return ItemUnreadable(key, "permission", f"The file may not be read: {why(error)}.")
    if error.errno == errno.ENXIO:  # what opening a socket answers
        return ItemUnreadable(key, "special_file", "A socket or device has taken its place.")
    return ItemUnreadable(key, "io_error", f"The file cannot be read: {why(error)}.")
