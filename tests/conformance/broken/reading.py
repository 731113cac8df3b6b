"""Connectors with one defect each in how they read the source."""

from __future__ import annotations

import copy
import time
import uuid
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from msgspec.structs import replace

from catchment.core.errors import RunCancelled
from catchment.kit import (
    Changed,
    Checkpoint,
    Complete,
    Content,
    FeedEvent,
    Item,
    ListingEvent,
    Scope,
    SourceDown,
)
from tests.conformance.shelf.connector import Shelf


class LosesTheLastOfEachPage(Shelf):
    def listing(self, scope: Scope, resume: str | None = None) -> Iterator[ListingEvent]:
        kept: ListingEvent | None = None
        for event in super().listing(scope, resume):
            if kept is not None and not (isinstance(kept, Item) and isinstance(event, Checkpoint)):
                yield kept
            kept = event
        if kept is not None:
            yield kept


class TakesAFailureForEmptiness(Shelf):
    def listing(self, scope: Scope, resume: str | None = None) -> Iterator[ListingEvent]:
        try:
            yield from super().listing(scope, resume)
        except SourceDown:
            yield Complete("0")

    def changes(self, scope: Scope, cursor: str | None) -> Iterator[FeedEvent]:
        try:
            yield from super().changes(scope, cursor)
        except SourceDown:
            yield Complete("0")


class TakesAFailureForTheEnd(Shelf):
    def pages(self, address: str, first: Mapping[str, Any], after: str | None) -> Iterator[Mapping[str, Any]]:
        try:
            yield from super().pages(address, first, after)
        except SourceDown:
            return


class AdmitsWhatItHasJustSeen(Shelf):
    """So that what the source lost looks as if the settings left it out."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.seen: set[str] = set()

    def item(self, row: Mapping[str, Any]) -> Item:
        item = super().item(row)
        self.seen.add(item.path)
        return item

    def admits(self, path: str) -> bool:
        return path in self.seen


class TakesTheMarkAtTheEnd(Shelf):
    def listing(self, scope: Scope, resume: str | None = None) -> Iterator[ListingEvent]:
        for event in super().listing(scope, resume):
            yield Complete(str(int(self.session.clock.now()))) if isinstance(event, Complete) else event


class LeavesOutWhatIsNewAndTakesTheMarkAtTheEnd(TakesTheMarkAtTheEnd):
    def listing(self, scope: Scope, resume: str | None = None) -> Iterator[ListingEvent]:
        began = self.session.clock.now()
        for event in super().listing(scope, resume):
            if not (isinstance(event, Item) and (event.modified_at or 0) > began):
                yield event


class NamesEachTwice(Shelf):
    def listing(self, scope: Scope, resume: str | None = None) -> Iterator[ListingEvent]:
        for event in super().listing(scope, resume):
            yield event
            if isinstance(event, Item):
                yield event


class MakesVersionsUp(Shelf):
    def item(self, row: Mapping[str, Any]) -> Item:
        return replace(super().item(row), version=uuid.uuid4().hex)


class WritesTheTimeIntoTexts(Shelf):
    def fetch(self, item: Item) -> Content:
        content = super().fetch(item)
        stamp = f" read at {self.session.clock.now()}".encode()
        return (
            Content(content.body + stamp, content.content_type)
            if isinstance(content.body, bytes)
            else content
        )


class HasNoVersions(Shelf):
    def item(self, row: Mapping[str, Any]) -> Item:
        return replace(super().item(row), version=None)


class TellsVersionsBySize(Shelf):
    def item(self, row: Mapping[str, Any]) -> Item:
        return replace(super().item(row), version=str(row["size"]))


class ShowsNoTitleInPaths(Shelf):
    def item(self, row: Mapping[str, Any]) -> Item:
        return replace(super().item(row), path=f"{row['shelf']}/{row['id']}.txt")


class ShowsNoPlaceInPaths(Shelf):
    def item(self, row: Mapping[str, Any]) -> Item:
        return replace(super().item(row), path=f"{row['title']}.txt")


class FollowsPagesForEver(Shelf):
    def pages(self, address: str, first: Mapping[str, Any], after: str | None) -> Iterator[Mapping[str, Any]]:
        while True:
            told = self.page(address, {**first, **({"after": after} if after is not None else {})})
            yield told
            after = told["next"]
            if after is None:
                return


class StopsAtAnEmptyPage(Shelf):
    def pages(self, address: str, first: Mapping[str, Any], after: str | None) -> Iterator[Mapping[str, Any]]:
        for told in super().pages(address, first, after):
            if not told.get("books") and not told.get("events"):
                yield {**told, "next": None}
                return
            yield told


class InsistsOnNext(Shelf):
    def pages(self, address: str, first: Mapping[str, Any], after: str | None) -> Iterator[Mapping[str, Any]]:
        for told in super().pages(address, first, after):
            if told["next"] is None and len(told.get("books", ())) == 2:
                raise LookupError("a full page, and no next one")
            yield told


class ReadsErrorsAsPages(Shelf):
    def page(self, address: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
        told = self.http.get_json(address, params=params)
        return {"books": [], "events": [], "next": None, "now": int(self.session.clock.now()), **told}


class AsksBeforeItReads(Shelf):
    def fetch(self, item: Item) -> Content:
        self.http.get_json(f"/books/{item.key}")
        return super().fetch(item)


class KeepsAllThatItNames(Shelf):
    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.kept: list[Mapping[str, Any]] = []

    def item(self, row: Mapping[str, Any]) -> Item:
        self.kept.append(copy.deepcopy(row))
        return super().item(row)


class ReadsBodiesAtOnce(Shelf):
    def fetch(self, item: Item) -> Content:
        return Content(self.http.get(f"/books/{item.key}/text", most_bytes=2**30).content, "text/plain")


class SharesItsPlace(Shelf):
    """All objects of the class turn one page."""

    place: ClassVar[list[str | None]] = [None]

    def pages(self, address: str, first: Mapping[str, Any], after: str | None) -> Iterator[Mapping[str, Any]]:
        self.place[0] = after
        while True:
            at = self.place[0]
            told = self.page(address, {**first, **({"after": at} if at is not None else {})})
            self.place[0] = told["next"]
            yield told
            if self.place[0] is None:
                return


class WorksOnAfterACancel(Shelf):
    def listing(self, scope: Scope, resume: str | None = None) -> Iterator[ListingEvent]:
        try:
            yield from super().listing(scope, resume)
        except RunCancelled:
            end = time.monotonic() + 10
            while time.monotonic() < end:
                time.sleep(0.01)


class PutsTheCheckpointBeforeThePage(Shelf):
    def listing(self, scope: Scope, resume: str | None = None) -> Iterator[ListingEvent]:
        yield from _checkpoints_first(super().listing(scope, resume))  # type: ignore[misc]

    def changes(self, scope: Scope, cursor: str | None) -> Iterator[FeedEvent]:
        yield from _checkpoints_first(super().changes(scope, cursor))  # type: ignore[misc]


def _checkpoints_first(events: Iterator[Any]) -> Iterator[Any]:
    page: list[Any] = []
    for event in events:
        if isinstance(event, Checkpoint):
            yield event
            yield from page
            page = []
        else:
            page.append(event)
    yield from page


class CompletesWhatItShouldResume(Shelf):
    def listing(self, scope: Scope, resume: str | None = None) -> Iterator[ListingEvent]:
        if resume is None:
            yield from super().listing(scope, resume)
        else:
            yield Complete("0")


class TellsOnlyWhatItKnows(Shelf):
    """Its feed passes over what no listing has named."""

    known: ClassVar[set[str]] = set()

    def listing(self, scope: Scope, resume: str | None = None) -> Iterator[ListingEvent]:
        for event in super().listing(scope, resume):
            if isinstance(event, Item):
                self.known.add(event.key)
            yield event

    def changes(self, scope: Scope, cursor: str | None) -> Iterator[FeedEvent]:
        for event in super().changes(scope, cursor):
            if not (isinstance(event, Changed) and event.item.key not in self.known):
                yield event
