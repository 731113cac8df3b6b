"""Connectors with one defect each in how they follow changes."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

import httpx

from catchment.kit import AccessList, Changed, Complete, Deleted, FeedEvent, Item, Scope, SourceDown
from catchment.kit.http import Verdict
from tests.conformance.shelf.connector import Shelf


class IgnoresDeletions(Shelf):
    def changes(self, scope: Scope, cursor: str | None) -> Iterator[FeedEvent]:
        return (event for event in super().changes(scope, cursor) if not isinstance(event, Deleted))


class BelievesInDeath(Shelf):
    """What was deleted once is never told of again."""

    dead: ClassVar[set[str]] = set()

    def changes(self, scope: Scope, cursor: str | None) -> Iterator[FeedEvent]:
        for event in super().changes(scope, cursor):
            if isinstance(event, Deleted):
                self.dead.add(event.key)
            if not (isinstance(event, Changed) and event.item.key in self.dead):
                yield event


class ShowsEverythingToEverybody(Shelf):
    def permissions(self, items: Sequence[Item]) -> dict[str, AccessList]:
        return {item.key: AccessList(public=True) for item in items}


class PassesOverTies(Shelf):
    """The next page begins after the time of the last change, whoever else shares it."""

    def pages(self, address: str, first: Mapping[str, Any], after: str | None) -> Iterator[Mapping[str, Any]]:
        if address != "/changes":
            yield from super().pages(address, first, after)
            return
        while True:
            told = self.page(address, {**first, **({"after": after} if after is not None else {})})
            yield told
            if told["next"] is None:
                return
            after = json.dumps([json.loads(told["next"])[0], "z"])


class LooksNotBack(Shelf):
    def mark(self, told: Mapping[str, Any]) -> str:
        return str(told["now"])


class TrustsItsMarks(Shelf):
    def since(self, cursor: str | None) -> int:
        return int(cursor or 0)


class LooksTwoHoursBack(Shelf):
    def since(self, cursor: str | None) -> int:
        return max(super().since(cursor), int(self.session.clock.now()) - 7200)


class WaitsForTheFuture(Shelf):
    def changes(self, scope: Scope, cursor: str | None) -> Iterator[FeedEvent]:
        if self.since(cursor) > self.session.clock.now():
            yield Complete(cursor)
            return
        yield from super().changes(scope, cursor)


class TakesExpiryForTrouble(Shelf):
    def judge(self, response: httpx.Response) -> Verdict:
        return SourceDown("It answered 410.") if response.status_code == 410 else super().judge(response)


class TellsEachMarkOnce(Shelf):
    """Who asks from the same mark again gets nothing more."""

    asked: ClassVar[set[str]] = set()

    def changes(self, scope: Scope, cursor: str | None) -> Iterator[FeedEvent]:
        if cursor in self.asked:
            raise SourceDown("This was read already.")
        self.asked.add(cursor or "")
        yield from super().changes(scope, cursor)
