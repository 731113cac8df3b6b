"""What was recorded at a real site goes through the connector's own mapping."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from connectors.confluence.cloud import record_of, space_of
from connectors.confluence.fetching import text_of
from connectors.confluence.records import (
    ATTACHMENT,
    FOOTER,
    INLINE,
    PAGE,
    Located,
    Record,
    item_of,
)
from tests.support.confluence import needs_data, recorded, recordings

SITE = "https://nango-team-test.atlassian.net/wiki"
KINDS = {
    "get-attachment": ATTACHMENT,
    "get-inline-comment": INLINE,
    "get-page": PAGE,
    "list-page-attachments": ATTACHMENT,
    "list-page-footer-comments": FOOTER,
    "list-pages-for-label": PAGE,
}


def records(name: str) -> Iterator[Record]:
    body = recorded(name)
    for raw in body.get("results", [body]):
        yield record_of(KINDS[name], raw, body["_links"]["base"])


def texts(value: Any) -> Iterator[str]:
    """Yield every body that an answer has."""
    if isinstance(value, dict):
        if value.get("representation") == "storage":
            yield value["value"]
        for inner in value.values():
            yield from texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from texts(inner)


@needs_data
@pytest.mark.parametrize("name", KINDS)
def test_every_answer_becomes_records_with_their_text(name: str) -> None:
    """None crashes; where there is text there is a document; ids, titles and times are told."""
    for record in records(name):
        assert record.id.removeprefix("att").isdigit()
        assert record.title
        assert record.modified is not None
        assert record.author is not None
        assert record.url is not None
        assert record.url.startswith(f"{SITE}/")
        item = item_of(Located(record, "KEY", ("Title",)))
        assert (item.key, item.version) == (record.id, str(record.version))
        if record.body is not None:
            assert len(text_of(record)) > len(f"# {record.title}\n\n")
    assert all(value.strip() for value in texts(recorded(name)))


@needs_data
def test_no_recording_is_left_out() -> None:
    """The others hold spaces, and nothing."""
    assert set(recordings()) == {*KINDS, "list-spaces", "delete-attachment"}


@needs_data
def test_a_page() -> None:
    """Its facts, its text without layouts and empty macros, and no label."""
    (page,) = records("get-page")
    assert (page.id, page.title, page.space, page.parent, page.version) == (
        "98400",
        "Overview",
        "98308",
        None,
        1,
    )
    assert page.modified == page.created == 1_773_930_227.64
    text = text_of(page)
    assert text.startswith("# Overview\n\nSay hello to your colleagues")
    assert "### \N{RAISED HAND WITH FINGERS SPLAYED} Get in touch" in text
    assert "<Insert company name>" in text
    assert not any(word in text for word in ("ac:", "span", "two_equal", "titles"))


@needs_data
def test_comments_at_the_foot() -> None:
    """Each is a document of its own, at its page."""
    first, second = records("list-page-footer-comments")
    assert (first.id, first.version, first.container, first.container_kind) == ("13631489", 2, "98400", PAGE)
    assert first.created is None, "an edited comment does not tell when it was made"
    assert text_of(first) == "# Re: Overview\n\nUpdated comment body from nango action test\n"
    assert text_of(second) == "# Re: Overview\n\nTest comment from Nango\n"
    assert second.created == second.modified == 1_777_362_490.0
    assert second.url is not None
    assert second.url.endswith("/overview?focusedCommentId=13893633")


@needs_data
def test_a_comment_in_the_text() -> None:
    """With the words that it is about."""
    (comment,) = records("get-inline-comment")
    assert (comment.id, comment.container, comment.quoted) == ("14090241", "14057473", "quick brown fox")
    assert text_of(comment) == "# Re: Test inline comment page\n\n> quick brown fox\n"


@needs_data
def test_an_attachment() -> None:
    """By its own id, at its page, with size and type."""
    (file,) = records("get-attachment")
    assert (file.id, file.title, file.media_type, file.size) == (
        "att295053",
        "angie.svg",
        "image/svg+xml",
        4807,
    )
    item = item_of(Located(file, "MFS", ("My first space",)))
    assert item.path == "MFS/My first space/angie.svg"
    assert item.metadata["container"] == "295028"
    listed = list(records("list-page-attachments"))
    assert listed[0] == file
    assert len({one.id for one in listed}) == len(listed) > 2


@needs_data
def test_spaces() -> None:
    """Personal ones have a tilde in front; an archived one says so."""
    spaces = [space_of(raw) for raw in recorded("list-spaces")["results"]]
    assert [(one.id, one.name, one.status) for one in spaces] == [
        ("98308", "Nango Developer", "current"),
        ("294916", "My first space", "current"),
        ("4096002", "Ryan (Nango)", "archived"),
    ]
    assert [one.key[0] for one in spaces] == ["~", "M", "~"]
