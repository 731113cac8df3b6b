"""What a person fills in for feeds."""

from __future__ import annotations

import hashlib
import json
from typing import ClassVar

from pydantic import Field, field_validator, model_validator

from catchment.kit import SourceConfig
from connectors.rss.addresses import Place, tidy


class RSSConfig(SourceConfig):
    """Settings of feeds."""

    feed_url: str = Field(
        title="Feed", description="Address of the feed, such as https://example.org/feed.xml."
    )
    feed_urls: list[str] = Field(
        default_factory=list,
        title="More feeds",
        description="Addresses of more feeds; each is read by itself.",
    )
    full_text: bool = Field(
        default=False,
        title="Full text",
        description="Read the page that an entry links to, in place of the text that the feed brings.",
    )
    history: bool = Field(
        default=True,
        title="Older pages",
        description="Follow a feed's own links to its older pages, at first and where entries were missed.",
    )

    _by_place: ClassVar[frozenset[str]] = frozenset({"feed_url", "feed_urls"})

    @field_validator("feed_url")
    @classmethod
    def _is_an_address(cls, value: str) -> str:
        return tidy(value)

    @field_validator("feed_urls")
    @classmethod
    def _are_addresses(cls, value: list[str]) -> list[str]:
        return list(dict.fromkeys(tidy(url) for url in value))

    @model_validator(mode="after")
    def _each_once(self) -> RSSConfig:
        self.feed_urls = [url for url in self.feed_urls if url != self.feed_url]
        return self

    @property
    def places(self) -> list[Place]:
        """The feeds, each once, the first one first."""
        return [Place(self.feed_url), *(Place(url, "feed_urls") for url in self.feed_urls)]

    @property
    def meaning(self) -> str:
        """A hash of the settings that decide which entries are taken, and what of them."""
        rest = self.model_dump(mode="json", exclude={*self._by_place, *self.not_scope})
        return hashlib.sha256(json.dumps(rest, sort_keys=True).encode()).hexdigest()[:12]
