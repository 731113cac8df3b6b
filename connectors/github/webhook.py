"""Deliveries of GitHub: verified first, then read as hints of what to look at."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import parse_qs

from catchment.kit import (
    Changed,
    Checkpoint,
    ConfigRejected,
    Deleted,
    FeedEvent,
    Handshake,
    Item,
    PermissionMissing,
    SourceDown,
)
from catchment.kit.webhook import header, is_signed
from connectors.github.client import Repository
from connectors.github.issues import item_of
from connectors.github.places import (
    DISCUSSION,
    DISCUSSIONS,
    FILES,
    ISSUES,
    FilePlace,
    file_path,
    talk_path,
)

SIGNATURE, EVENT = "x-hub-signature-256", "x-github-event"
_HEADS = "refs/heads/"
_ZERO = "0" * 40
MOST_COMMITS = 20
"""A push with so many commits, or more, may have had more than it names."""
Payload = Mapping[str, Any]


def read_delivery(headers: Mapping[str, str], body: bytes, secret: str) -> list[FeedEvent]:
    """Verify a delivery and return what it reports; nothing for a ping and for events that say nothing to us.

    What it says of an item is a hint: its key and path are right, and its version may be old by now. Where a
    delivery tells that something happened and not to what (a force push, a renamed repository), a
    `Checkpoint` names the key of the scope that is to be looked at.

    Raises:
        PermissionMissing: The signature is absent or wrong.
        ConfigRejected: It is signed, and cannot be read.
    """
    verify(header(headers, SIGNATURE), body, secret)
    read = _READERS.get(header(headers, EVENT))
    if read is None:
        return []
    try:
        payload = _payload(header(headers, "content-type"), body)
        last: dict[str, FeedEvent] = {}
        for event in read(payload):
            name = _name(event)
            last.pop(name, None)
            last[name] = event
        return list(last.values())
    except (
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
        OverflowError,
        RecursionError,
        SourceDown,
    ) as error:
        raise ConfigRejected(
            "A delivery of GitHub cannot be read.",
            setting="webhook",
            remedy="Set the content type of the webhook to application/json.",
        ) from error


def read_handshake(headers: Mapping[str, str], body: bytes, secret: str) -> Handshake | None:
    """Answer the ping of a new webhook; None for every other delivery.

    Raises:
        PermissionMissing: Its signature is absent or wrong; GitHub then shows the delivery as failed.
    """
    if header(headers, EVENT) != "ping":
        return None
    verify(header(headers, SIGNATURE), body, secret)
    return Handshake(b"pong")


def verify(signature: str, body: bytes, secret: str) -> None:
    """See that a delivery comes from who knows the secret; without a secret nobody does.

    Raises:
        PermissionMissing: It does not.
    """
    if not is_signed(signature, body, secret):
        raise PermissionMissing(
            "The signature of a delivery is missing or wrong.",
            remedy="Give the webhook at GitHub the same secret as this connector.",
        )


def _payload(content_type: str, body: bytes) -> Payload:
    text = body.decode()
    if content_type.startswith("application/x-www-form-urlencoded"):
        text = parse_qs(text, strict_parsing=True)["payload"][0]
    told = json.loads(text)
    if not isinstance(told, dict):
        raise TypeError("no object")
    return told


def _name(event: FeedEvent) -> str:
    if isinstance(event, Changed):
        return event.item.key
    return event.key if isinstance(event, Deleted) else getattr(event, "position", "")


# -- one reader for each kind of event -----------------------------------------------------------


def _push(payload: Payload) -> Iterator[FeedEvent]:
    ref = str(payload["ref"])
    if not ref.startswith(_HEADS):
        return  # a tag
    repository = Repository.of(payload["repository"])
    branch = ref.removeprefix(_HEADS)
    commits = payload.get("commits") or []
    unnamed = payload.get("forced") or payload.get("created") or payload.get("deleted")
    if unnamed or payload.get("after") == _ZERO or len(commits) >= MOST_COMMITS or not commits:
        yield Checkpoint(f"{repository.id}:{FILES}:{branch}")
        return
    for commit in commits:
        for path in commit.get("removed") or ():
            yield Deleted(FilePlace(repository.id, branch, str(path)).key)
        for path in (*(commit.get("added") or ()), *(commit.get("modified") or ())):
            key = FilePlace(repository.id, branch, str(path)).key
            yield Changed(Item(key, file_path(repository, str(path))))


def _issue(payload: Payload) -> Iterator[FeedEvent]:
    repository, raw = Repository.of(payload["repository"]), payload["issue"]
    # A comment can be deleted, too, and then the issue is still there.
    if payload.get("action") in ("deleted", "transferred") and "comment" not in payload:
        yield Deleted(str(raw["node_id"]))
    else:
        yield Changed(item_of(repository, raw))


def _pull(payload: Payload) -> Iterator[FeedEvent]:
    repository, raw = Repository.of(payload["repository"]), dict(payload["pull_request"])
    raw.setdefault("merged_at", None)
    yield Changed(item_of(repository, raw))


def _discussion(payload: Payload) -> Iterator[FeedEvent]:
    repository, raw = Repository.of(payload["repository"]), payload["discussion"]
    key = str(raw["node_id"])
    if payload.get("action") in ("deleted", "transferred") and "comment" not in payload:
        yield Deleted(key)
    else:
        path = talk_path(repository.name, int(raw["number"]), kind=DISCUSSION)
        yield Changed(Item(key, path, title=str(raw.get("title") or "") or None, url=raw.get("html_url")))


def _repository(payload: Payload) -> Iterator[FeedEvent]:
    repository = Repository.of(payload["repository"])
    yield Checkpoint(f"{repository.id}:{FILES}:{repository.default_branch}")
    yield Checkpoint(f"{repository.id}:{ISSUES}")
    yield Checkpoint(f"{repository.id}:{DISCUSSIONS}")


def _installation(payload: Payload) -> Iterator[FeedEvent]:
    for name in ("repositories_added", "repositories_removed", "repositories"):
        for raw in payload.get(name) or ():
            yield Checkpoint(f"{int(raw['id'])}:{ISSUES}")


_READERS: Mapping[str, Callable[[Payload], Iterator[FeedEvent]]] = {
    "push": _push,
    "issues": _issue,
    "issue_comment": _issue,
    "pull_request": _pull,
    "pull_request_review": _pull,
    "pull_request_review_comment": _pull,
    "pull_request_review_thread": _pull,
    "discussion": _discussion,
    "discussion_comment": _discussion,
    "repository": _repository,
    "public": _repository,
    "member": _repository,
    "installation": _installation,
    "installation_repositories": _installation,
}
