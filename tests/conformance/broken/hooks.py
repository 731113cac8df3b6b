"""Connectors with one defect each in how they take webhooks."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import ClassVar

from catchment.kit import Changed, FeedEvent, Item
from tests.conformance.shelf.connector import Shelf


class BelievesEverybody(Shelf):
    @staticmethod
    def webhook(headers: Mapping[str, str], body: bytes, secret: str) -> list[FeedEvent]:
        return _told(body)


class BelievesOldLetters(Shelf):
    @staticmethod
    def webhook(headers: Mapping[str, str], body: bytes, secret: str) -> list[FeedEvent]:
        return _told(body)


class ListensOnce(Shelf):
    heard: ClassVar[set[bytes]] = set()

    @classmethod
    def webhook(  # type: ignore[override]
        cls, headers: Mapping[str, str], body: bytes, secret: str
    ) -> list[FeedEvent]:
        if body in cls.heard:
            return []
        cls.heard.add(body)
        return Shelf.webhook(headers, body, secret)


class KnowsTwoKinds(Shelf):
    @staticmethod
    def webhook(headers: Mapping[str, str], body: bytes, secret: str) -> list[FeedEvent]:
        return _told(body)


class TiresOfListening(Shelf):
    heard: ClassVar[list[bytes]] = []

    @classmethod
    def webhook(  # type: ignore[override]
        cls, headers: Mapping[str, str], body: bytes, secret: str
    ) -> list[FeedEvent]:
        cls.heard.append(body)
        return Shelf.webhook(headers, body, secret) if len(cls.heard) <= 100 else []


def _told(body: bytes) -> list[FeedEvent]:
    told = json.loads(body)
    return [Changed(Item(told["id"], told["id"]))]
