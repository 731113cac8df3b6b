"""Issues, pull requests and discussions as Markdown: what they say, then who said what about it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime
from typing import Any

Row = dict[str, Any]
_HIDDEN = re.compile(r"<!--.*?-->", re.DOTALL)
_VERDICTS = {
    "APPROVED": "approved",
    "CHANGES_REQUESTED": "asked for changes",
    "COMMENTED": "commented",
    "DISMISSED": "reviewed (dismissed)",
    "PENDING": "began a review",
}


def talk(raw: Row, comments: Iterable[Row], reviews: Iterable[Row] = (), remarks: Iterable[Row] = ()) -> str:
    """Write an issue or a pull request with all that was said about it.

    Comments, reviews and remarks beside lines stand in the order in which they were made, each below a
    heading with its author; headings inside them are put below that.

    Args:
        raw: The issue or pull request.
        comments: Of its conversation.
        reviews: Verdicts on a pull request.
        remarks: Comments beside lines of a pull request.
    """
    parts = [f"# {_line(raw.get('title')) or 'Untitled'} (#{raw.get('number')})", *_facts(raw)]
    body = _words(raw.get("body"), below=1)
    if body:
        parts.append(body)
    said = [
        *((one.get("created_at"), f"{_name(one)} commented", _words(one.get("body"))) for one in comments),
        *((one.get("created_at"), _beside(one), _words(one.get("body"))) for one in remarks),
        *(
            (one.get("submitted_at"), _verdict(one), _words(one.get("body")))
            for one in reviews
            if _counts(one)
        ),
    ]
    for when, head, words in sorted(said, key=lambda one: one[0] or ""):
        parts.append(f"## {head}{f', {when[:10]}' if when else ''}")
        parts += [words] if words else []
    return "\n\n".join(parts) + "\n"


def discussion(raw: Row, comments: Iterable[Row]) -> str:
    """Write a discussion with its comments, each with the replies below it.

    Args:
        raw: The discussion.
        comments: Its comments in order, with ``replies`` as a list.
    """
    facts = []
    if raw.get("category"):
        facts.append(f"Category: {_line(raw['category'].get('name'))}")
    if raw.get("isAnswered") is not None:
        facts.append("Answered" if raw["isAnswered"] else "Not answered")
    names = [_line(one.get("name")) for one in (raw.get("labels") or {}).get("nodes") or () if one]
    facts += [f"Labels: {', '.join(names)}"] if names else []
    parts = [f"# {_line(raw.get('title')) or 'Untitled'} (#{raw.get('number')})", "\n".join(facts)]
    parts.append(_words(raw.get("body"), below=1))
    for comment in comments:
        parts += _spoken(comment, "commented", level=2)
        for reply in comment.get("replies") or ():
            parts += _spoken(reply, "replied", level=3)
    return "\n\n".join(part for part in parts if part) + "\n"


def _spoken(raw: Row, verb: str, *, level: int) -> list[str]:
    """Write a comment or a reply; of one that was deleted only its place stays, for those below."""
    if raw.get("deletedAt"):
        return [f"{'#' * level} A comment that was deleted"] if raw.get("replies") else []
    name = _line((raw.get("author") or {}).get("login")) or "ghost"
    when = str(raw.get("createdAt") or "")[:10]
    done = "answered" if raw.get("isAnswer") else verb
    return [f"{'#' * level} {name} {done}{f', {when}' if when else ''}", _words(raw.get("body"), below=level)]


def seconds_of(text: Any) -> float | None:
    """Read a time of GitHub's; None where there is none."""
    try:
        return datetime.fromisoformat(str(text)).timestamp() if text else None
    except ValueError:
        return None


def _facts(raw: Row) -> list[str]:
    lines = []
    if raw.get("labels"):
        names = (one["name"] if isinstance(one, dict) else one for one in raw["labels"])
        lines.append(f"Labels: {', '.join(_line(name) for name in names)}")
    if raw.get("milestone"):
        lines.append(f"Milestone: {_line(raw['milestone'].get('title'))}")
    if raw.get("assignees"):
        lines.append(f"Assigned to: {', '.join(_line(one.get('login')) for one in raw['assignees'])}")
    return ["\n".join(lines)] if lines else []


def _name(raw: Row) -> str:
    """Return who wrote it; accounts that were deleted are called ghost, as GitHub does."""
    return _line((raw.get("user") or {}).get("login")) or "ghost"


def _beside(raw: Row) -> str:
    line = raw.get("line") or raw.get("original_line")
    place = f"{_line(raw.get('path'))}{f', line {line}' if line else ''}"
    return f"{_name(raw)} on {place}"


def _verdict(raw: Row) -> str:
    return f"{_name(raw)} {_VERDICTS.get(str(raw.get('state')).upper(), 'reviewed')}"


def _counts(raw: Row) -> bool:
    """Whether a review says anything: one that only holds remarks beside lines has no words of its own."""
    return bool(raw.get("body")) or str(raw.get("state")).upper() in ("APPROVED", "CHANGES_REQUESTED")


def _line(value: Any) -> str:
    return " ".join(str(value or "").split())


def _words(value: Any, *, below: int = 2) -> str:
    """Return what somebody wrote: without remarks for editors, and with headings below the given level."""
    text = _HIDDEN.sub("", str(value or "").replace("\r\n", "\n"))
    lines, fence = [], ""
    for line in text.split("\n"):
        mark = re.match(r" {0,3}(`{3,}|~{3,})", line)
        if mark is not None and not fence:
            fence = mark[1]
        elif mark is not None and mark[1].startswith(fence) and not line.strip().strip(fence[0]):
            fence = ""
        elif not fence and (heading := re.match(r" {0,3}(#{1,6})(?=\s|$)", line)) is not None:
            line = f"{'#' * min(len(heading[1]) + below, 6)}{line[heading.end() :]}"  # noqa: PLW2901
        lines.append(line.rstrip())
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()
