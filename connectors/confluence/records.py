"""What both dialects of the API say about a piece of content, in one form, and the item that it becomes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from msgspec import Struct

from catchment.kit import Item

ATTACHMENT = "attachment"
PAGE = "page"
BLOGPOST = "blogpost"
FOLDER = "folder"
FOOTER, INLINE = "footer", "inline"
COMMENTS = (FOOTER, INLINE)
_SLASH = str.maketrans("/", "\u2215")


class Space(Struct, frozen=True):
    """One space."""

    id: str
    key: str
    name: str
    status: str = "current"


class Record(Struct, frozen=True):
    """One piece of content.

    Attributes:
        kind: page, blogpost, folder, attachment, footer or inline.
        space: The id of its space; empty where the API does not say (comments, attachments).
        parent: The id of the page or folder above.
        container: The id of the page or post that a comment or attachment belongs to.
        version: Number of the version.
        modified: When this version was made, POSIX seconds.
        body: In storage format; None where it was not asked for.
        quoted: What an inline comment is about.
    """

    kind: str
    id: str
    title: str
    status: str = "current"
    space: str = ""
    parent: str | None = None
    parent_kind: str = ""
    container: str = ""
    container_kind: str = ""
    version: int = 1
    modified: float | None = None
    created: float | None = None
    author: str | None = None
    url: str | None = None
    size: int | None = None
    media_type: str | None = None
    labels: tuple[str, ...] = ()
    body: str | None = None
    quoted: str = ""
    download: str = ""

    @property
    def is_part(self) -> bool:
        """Whether it belongs to a page or post."""
        return self.kind not in (PAGE, BLOGPOST, FOLDER)


class Located(Struct, frozen=True):
    """A record and where it stands.

    Attributes:
        space_key: Key of the space.
        trail: Titles from the top down to the page or post, that one included.
        holder: Title of the page or post.
    """

    record: Record
    space_key: str
    trail: tuple[str, ...]

    @property
    def holder(self) -> str:
        """Title of the page or post that it is or belongs to."""
        return self.trail[-1] if self.trail else ""


def item_of(located: Located) -> Item:
    """Return what a sync is told."""
    record = located.record
    trail = [located.space_key, *located.trail]
    if record.kind == ATTACHMENT:
        trail.append(record.title)
    elif record.kind in COMMENTS:
        trail += ["comments", record.id]
    metadata = {"type": record.kind if record.kind not in COMMENTS else f"{record.kind} comment"}
    metadata["space"] = located.space_key
    if record.container:
        metadata["container"] = record.container
        metadata["on"] = record.container_kind
    if record.download:
        metadata["download"] = record.download
    return Item(
        key=record.id,
        path=path_of(trail),
        version=str(record.version),
        size=record.size,
        content_type=record.media_type,
        modified_at=record.modified,
        created_at=record.created,
        title=record.title,
        url=record.url,
        author=record.author,
        tags=record.labels,
        metadata=metadata,
    )


def kind_of(item: Item) -> str:
    """Return the kind of an item; empty where nothing was said about it."""
    return item.metadata.get("type", "").removesuffix(" comment")


def path_of(parts: Sequence[str]) -> str:
    """Return a path; slashes within titles are written as a sign that looks the same."""
    return "/".join(part.translate(_SLASH).strip() or "_" for part in parts)


def post_trail(created: float | None, title: str) -> tuple[str, ...]:
    """Return where a blog post stands: by its day, since two days may have the same title."""
    return ("blog", day_of(created), title)


def day_of(created: float | None) -> str:
    """Return the day of a blog post as it stands in its path."""
    return datetime.fromtimestamp(created, UTC).strftime("%Y-%m-%d") if created is not None else "undated"


def seconds_of(text: object) -> float | None:
    """Read a moment in ISO 8601; None where there is none."""
    if not isinstance(text, str) or not text:
        return None
    try:
        moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        return None
    return (moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)).timestamp()
