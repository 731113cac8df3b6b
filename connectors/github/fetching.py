"""Bodies: blobs as they are, issues, pull requests and discussions written as Markdown."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

from catchment.kit import Content, Item, ItemUnreadable, SourceDown
from catchment.kit.http import Missing, TooLong
from catchment.kit.streams import PieceStream, buffered
from connectors.github import threads
from connectors.github.archive import Archives
from connectors.github.client import Client, Repository, query
from connectors.github.errors import BlobTooLarge
from connectors.github.issues import is_pull_request, item_of
from connectors.github.places import DISCUSSION, PULL, FilePlace, read_talk
from connectors.github.rendering import talk

WHOLE_BYTES = 1024 * 1024
"""A larger file is read as a stream."""
_RAW = {"Accept": "application/vnd.github.raw+json"}
_LFS = b"version https://git-lfs.github.com/spec/"
_LFS_BYTES = 1024
_GONE = frozenset({404, 410})


def fetch(client: Client, item: Item, archives: Archives | None = None) -> Content:
    """Return the content of a file, or an issue or discussion with all that was said about it.

    Raises:
        ItemUnreadable: gone, too_large, or lfs.
        SourceError: GitHub cannot be asked.
    """
    place = FilePlace.read(item.key)
    if place is not None:
        return _kept(item, archives) or _blob(client, item, place)
    return _talk(client, item)


# -- files --------------------------------------------------------------------------------------


def _blob(client: Client, item: Item, place: FilePlace) -> Content:
    """Return the very bytes that the version names."""
    if not item.version:
        raise ItemUnreadable(item.key, "gone", "The file has no content.")
    try:
        repository = client.repository_by_id(place.repository)
        address = f"{repository.api}/git/blobs/{item.version}"
        return _whole(client, item, address) or _opened(client, item, address)
    except Missing as error:
        raise ItemUnreadable(item.key, "gone", "The file is no longer there.") from error
    except BlobTooLarge as error:
        raise ItemUnreadable(item.key, error.code, error.message) from error


def _whole(client: Client, item: Item, address: str) -> Content | None:
    """Return a file that is small, asked for again where the answer breaks off; None for one that is not.

    What was pushed lately comes without its size.
    """
    if item.size is not None and item.size > WHOLE_BYTES:
        return None
    try:
        answer = client.http.get(address, headers=_RAW, most_bytes=WHOLE_BYTES)
    except TooLong:
        return None
    return Content(_no_pointer(item, answer.content))


def _kept(item: Item, archives: Archives | None) -> Content | None:
    """Return the very bytes that the version names, where the archive of the commit brought them."""
    if archives is None or not item.version:
        return None
    found = archives.get(item.version, whole_bytes=WHOLE_BYTES)
    if found is None:
        return None
    return Content(_no_pointer(item, found) if isinstance(found, bytes) else buffered(found))


def _no_pointer(item: Item, body: bytes) -> bytes:
    if len(body) <= _LFS_BYTES and body.startswith(_LFS):
        raise ItemUnreadable(item.key, "lfs", "The file lies in Git LFS, which is not read.")
    return body


def _opened(client: Client, item: Item, address: str) -> Content:
    stack = ExitStack()
    response = stack.enter_context(client.http.stream(address, headers=_RAW))
    stream = _Stream(stack, response.iter_bytes())
    try:
        _no_pointer(item, stream.peek())
    except BaseException:
        stream.close()
        raise
    return Content(buffered(stream))


class _Stream(PieceStream):
    """An answer as a stream; it breaks off as the client's own errors say."""

    def __init__(self, stack: ExitStack, pieces: Iterator[bytes]) -> None:
        super().__init__()
        self._stack = stack
        self._pieces = pieces

    def next_piece(self) -> bytes:
        try:
            return next((piece for piece in self._pieces if piece), b"")
        except Exception as error:
            # The client turns what went wrong on the wire into a word of its own.
            if not self._stack.__exit__(type(error), error, error.__traceback__):
                raise
            return b""

    def close(self) -> None:
        if not self.closed:
            self._stack.close()
        super().close()


# -- issues -------------------------------------------------------------------------------------


def _talk(client: Client, item: Item) -> Content:
    place = read_talk(item.path)
    if place is None:
        raise ItemUnreadable(item.key, "gone", "No issue can have this key.")
    kind = "pulls" if place.kind == PULL else "issues"
    try:
        repository = client.repository_named(place.repository)
        if place.kind == DISCUSSION:
            return threads.fetch(client, repository, item)
        raw = client.http.get_json(f"{repository.api}/{kind}/{place.number}")
        if not isinstance(raw, dict) or "updated_at" not in raw:
            raise SourceDown("GitHub's answer about an issue makes no sense.")
        if raw.get("node_id") != item.key:
            raise ItemUnreadable(item.key, "gone", "It was transferred to another repository.")
        return _written(client, repository, raw)
    except Missing as error:
        raise ItemUnreadable(item.key, "gone", "It is no longer there.") from error


def _written(client: Client, repository: Repository, raw: dict[str, Any]) -> Content:
    number, is_pull = raw["number"], is_pull_request(raw)
    talk_api, pull_api = f"{repository.api}/issues/{number}", f"{repository.api}/pulls/{number}"
    comments = _all(client, f"{talk_api}/comments") if raw.get("comments") else []
    remarks = _all(client, f"{pull_api}/comments") if is_pull and raw.get("review_comments", 1) else []
    reviews = _all(client, f"{pull_api}/reviews") if is_pull else []
    newest = max((str(one["updated_at"]) for one in (*comments, *remarks)), default=None)
    if not repository.has_issues:
        # There pull requests are listed by themselves, and that list does not count comments.
        raw = {name: value for name, value in raw.items() if name != "comments"}
        newest = None
    text = talk(raw, comments, reviews, remarks)
    content = Content.text(text)
    content.item = item_of(repository, raw, newest)
    return content


def _all(client: Client, address: str) -> list[dict[str, Any]]:
    return [row for page in client.pages(query(address)) for row in page]
