"""What the site holds, and everything that people can do to it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace

FIRST_ID = 98_304
COMMENTS = ("footer", "inline")
ADMIN = "712020:admin"
EVERYBODY = "confluence-users"


@dataclass(slots=True)
class Space:
    """One space; `readers` are (user or group, id) that may view it, `roles` are roles with that right."""

    id: int
    key: str
    name: str
    type: str = "global"
    status: str = "current"
    homepage_id: int | None = None
    created: float = 0.0
    author: str = ADMIN
    readers: list[tuple[str, str]] = field(default_factory=list)
    roles: dict[str, list[tuple[str, str]]] = field(default_factory=dict)


@dataclass(slots=True)
class Content:
    """A page, blog post, folder, comment or attachment.

    Attributes:
        kind: page, blogpost, folder, attachment, footer or inline.
        parent_id: The page or folder above; of a comment the one it answers.
        container_id: The page or blog post that a comment or attachment belongs to.
        selection: What an inline comment is about.
    """

    id: int
    kind: str
    title: str
    space_id: int
    body: str = ""
    status: str = "current"
    parent_id: int | None = None
    container_id: int | None = None
    version: int = 1
    created: float = 0.0
    modified: float = 0.0
    author: str = ADMIN
    labels: tuple[str, ...] = ()
    data: bytes = b""
    media_type: str = ""
    selection: str = ""
    resolution: str = "open"
    read_users: frozenset[str] = frozenset()
    read_groups: frozenset[str] = frozenset()

    @property
    def is_comment(self) -> bool:
        """Whether it is a comment of either kind."""
        return self.kind in COMMENTS

    @property
    def shown_id(self) -> str:
        """Its id as the API writes it."""
        return f"att{self.id}" if self.kind == "attachment" else str(self.id)


@dataclass(slots=True)
class Trace:
    """What the search index is told about one change, and when."""

    at: float
    id: int
    state: Content | None


class World:
    """Spaces and content; each act takes the time from the clock it was given."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._next_id = FIRST_ID
        self.spaces: dict[int, Space] = {}
        self.contents: dict[int, Content] = {}
        self._parts: dict[int, list[int]] = {}
        self.groups: dict[str, list[str]] = {EVERYBODY: [ADMIN]}
        self.users: dict[str, str] = {ADMIN: "Ada Admin"}
        self.traces: list[Trace] = []

    # -- making -----------------------------------------------------------------------------------

    def add_space(
        self,
        key: str,
        name: str = "",
        *,
        readers: Iterable[tuple[str, str]] = (("group", EVERYBODY),),
        type: str = "global",
    ) -> Space:
        """Make a space with its homepage."""
        space = Space(self._new_id(), key, name or key, type=type, created=self._now(), readers=list(readers))
        self.spaces[space.id] = space
        space.homepage_id = self.add_page(key, f"{space.name} home", "<p>Welcome.</p>")
        return space

    def add_user(self, account_id: str, *, groups: Iterable[str] = (EVERYBODY,), name: str = "") -> str:
        """Make a user who is in these groups."""
        self.users[account_id] = name or account_id
        for group in groups:
            self.groups.setdefault(group, []).append(account_id)
        return account_id

    def add_page(
        self, space_key: str, title: str, body: str = "", *, parent: int | None = None, author: str = ADMIN
    ) -> int:
        """Make a page and return its id."""
        return self._add("page", space_key, title, body=body, parent_id=parent, author=author)

    def add_blogpost(self, space_key: str, title: str, body: str = "") -> int:
        """Make a blog post and return its id."""
        return self._add("blogpost", space_key, title, body=body)

    def add_folder(self, space_key: str, title: str, *, parent: int | None = None) -> int:
        """Make a folder for pages and return its id."""
        return self._add("folder", space_key, title, parent_id=parent)

    def add_comment(
        self, container: int, body: str, *, answers: int | None = None, selection: str = ""
    ) -> int:
        """Comment on a page or blog post; with a selection the comment is an inline one."""
        on = self.contents[container]
        kind = "inline" if selection else "footer"
        key = self.spaces[on.space_id].key
        return self._add(
            kind,
            key,
            f"Re: {on.title}",
            body=body,
            container_id=container,
            parent_id=answers,
            selection=selection,
        )

    def attach(self, container: int, name: str, data: bytes, *, media_type: str = "text/plain") -> int:
        """Attach a file to a page or blog post, or a new version of it where it has that file already."""
        for one in self.parts(container):
            if (one.kind, one.title) == ("attachment", name):
                one.data, one.media_type = data, media_type
                self._changed(one)
                return one.id
        key = self.spaces[self.contents[container].space_id].key
        return self._add("attachment", key, name, container_id=container, data=data, media_type=media_type)

    # -- changing ---------------------------------------------------------------------------------

    def edit(self, id: int, body: str | None = None, *, title: str | None = None) -> None:
        """Write a new version."""
        one = self.contents[id]
        one.body = one.body if body is None else body
        one.title = title or one.title
        self._changed(one)

    def rename(self, id: int, title: str) -> None:
        """Give another title, which is a new version."""
        self.edit(id, title=title)

    def move(self, id: int, *, parent: int | None = None, space: str | None = None) -> None:
        """Move a page, with all below it; no version is made and no date moves."""
        one = self.contents[id]
        one.parent_id = parent
        target = self.space(space).id if space else one.space_id
        if parent is not None:
            target = self.contents[parent].space_id
        for other in [one, *self.below(id)]:
            other.space_id = target
            self._trace(other)

    def trash(self, id: int) -> None:
        """Delete into the trash; pages below move up to the parent."""
        one = self.contents[id]
        one.status = "trashed"
        for child in self.contents.values():
            if child.parent_id == id and child.kind in ("page", "folder"):
                child.parent_id = one.parent_id
        self._trace(one)

    def restore(self, id: int) -> None:
        """Take out of the trash: a new version."""
        one = self.contents[id]
        one.status = "current"
        if one.parent_id is not None and self.contents.get(one.parent_id, one).status != "current":
            one.parent_id = None
        self._changed(one)

    def purge(self, id: int) -> None:
        """Delete for good, with comments and attachments."""
        gone = [id, *(one.id for one in self.parts(id))]
        for child in self.contents.values():
            if child.parent_id == id:
                child.parent_id = self.contents[id].parent_id
        for each in gone:
            del self.contents[each]
            self.traces.append(Trace(self._now(), each, None))

    def archive(self, id: int) -> None:
        """Archive a page."""
        self.contents[id].status = "archived"
        self._trace(self.contents[id])

    def unarchive(self, id: int) -> None:
        """Bring a page back from the archive."""
        self.contents[id].status = "current"
        self._trace(self.contents[id])

    def label(self, id: int, *names: str) -> None:
        """Replace the labels; no version is made."""
        self.contents[id].labels = names
        self._trace(self.contents[id])

    def resolve(self, id: int) -> None:
        """Resolve a comment; no version is made."""
        self.contents[id].resolution = "resolved"

    def restrict(self, id: int, *, users: Iterable[str] = (), groups: Iterable[str] = ()) -> None:
        """Let only these view a page and all below it; nobody named lifts the restriction."""
        one = self.contents[id]
        one.read_users, one.read_groups = frozenset(users), frozenset(groups)

    def grant_space(self, key: str, *readers: tuple[str, str]) -> None:
        """Replace those who may view a space."""
        self.space(key).readers = list(readers)

    def archive_space(self, key: str) -> None:
        """Archive a space; its pages stay what they are."""
        self.space(key).status = "archived"

    # -- looking ----------------------------------------------------------------------------------

    def space(self, key: str) -> Space:
        """Return a space by its key."""
        return next(space for space in self.spaces.values() if space.key == key)

    def below(self, id: int) -> Iterator[Content]:
        """Yield all that lies below, or belongs to, a piece of content."""
        for one in list(self.contents.values()):
            if id in ((one.parent_id if not one.is_comment else None), one.container_id):
                yield one
                yield from self.below(one.id)

    def parts(self, id: int) -> list[Content]:
        """Return the comments and attachments of a page or blog post, also those in the trash."""
        kept = (self.contents.get(part) for part in self._parts.get(id, ()))
        return [one for one in kept if one is not None]

    def chain(self, one: Content) -> list[Content]:
        """Return the content itself, what it belongs to, and all above that, from below to the top."""
        found, seen = [one], {one.id}
        step = one.container_id or (None if one.is_comment else one.parent_id)
        while step is not None and step in self.contents and step not in seen:
            above = self.contents[step]
            found.append(above)
            seen.add(step)
            step = above.container_id or above.parent_id
        return found

    def holder(self, one: Content) -> Content | None:
        """Return the page or blog post that it is or belongs to; None where that is gone."""
        return one if one.container_id is None else self.contents.get(one.container_id)

    def may_view(self, account: str, one: Content) -> bool:
        """Whether somebody may see it: by the space, and by every restriction from it to the top."""
        mine = {("user", account), *(("group", name) for name, who in self.groups.items() if account in who)}
        space = self.spaces[one.space_id]
        if not self.readers_of(space) & mine:
            return False
        for above in self.chain(one):
            wanted = {("user", user) for user in above.read_users}
            wanted |= {("group", group) for group in above.read_groups}
            if wanted and not wanted & mine:
                return False
        return True

    def readers_of(self, space: Space) -> set[tuple[str, str]]:
        """Return who may view a space, by permissions and by roles."""
        return {*space.readers, *(one for members in space.roles.values() for one in members)}

    def may_view_space(self, account: str, space: Space) -> bool:
        """Whether somebody may see a space."""
        mine = {("user", account), *(("group", name) for name, who in self.groups.items() if account in who)}
        return bool(self.readers_of(space) & mine)

    def indexed(self, until: float) -> list[Content]:
        """Return what the search index knew at a moment."""
        known: dict[int, Content | None] = {}
        for trace in self.traces:
            if trace.at <= until:
                known[trace.id] = trace.state
        return [one for one in known.values() if one is not None]

    def _new_id(self) -> int:
        self._next_id += 1
        return self._next_id

    def _add(self, kind: str, space_key: str, title: str, **facts: object) -> int:
        now = self._now()
        one = Content(self._new_id(), kind, title, self.space(space_key).id, created=now, modified=now)
        for name, value in facts.items():
            setattr(one, name, value)
        self.contents[one.id] = one
        if one.container_id is not None:
            self._parts.setdefault(one.container_id, []).append(one.id)
        self._trace(one)
        return one.id

    def _changed(self, one: Content) -> None:
        one.version += 1
        one.modified = self._now()
        self._trace(one)

    def _trace(self, one: Content) -> None:
        self.traces.append(Trace(self._now(), one.id, replace(one)))
