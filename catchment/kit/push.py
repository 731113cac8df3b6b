"""Connectors that are pushed to: the other side sends documents, and nothing is ever fetched."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import ConfigDict, Field

from catchment.core.errors import ItemUnreadable
from catchment.core.items import Content, Item, Scope
from catchment.kit.config import SourceConfig
from catchment.kit.connector import BrowsePage, Connector, Kind
from catchment.kit.health import Capability, Health


class PushConfig(SourceConfig):
    """Settings of a connector that is pushed to; what else a client keeps here is left as it is."""

    model_config = ConfigDict(extra="allow", populate_by_name=True, serialize_by_alias=True)

    document_semantics: Literal["append", "upsert"] = Field(
        default="append",
        alias="documentSemantics",
        title="Known documents",
        description="append skips a document that is known already; upsert takes its new content.",
    )


class Push(Connector[PushConfig, None]):
    """Stands for every provider of a connector that is pushed to, whatever its name is."""

    slug: ClassVar[str] = "push"
    display_name: ClassVar[str] = "Push"
    kind: ClassVar[Kind] = Kind.PUSH
    config_model = PushConfig
    blind_spots: ClassVar[tuple[str, ...]] = (
        "What the other side does not send is not seen, and what it deletes stays until it is deleted here.",
    )

    def check(self) -> list[Capability]:
        """Nothing has to work but this service."""
        return [Capability("push", Health.OK, "Documents are pushed to this connector.")]

    def browse(self, parent_id: str | None = None, page: str | None = None) -> BrowsePage:  # noqa: ARG002
        """Return nothing: there is no source to look into."""
        return BrowsePage()

    def scopes(self) -> list[Scope]:
        """Return none: absence at a source that is never read means nothing."""
        return []

    def fetch(self, item: Item) -> Content:
        """Refuse: there is nothing to fetch from.

        Raises:
            ItemUnreadable: Always.
        """
        raise ItemUnreadable(item.key, "pushed", "Documents are pushed to this connector, never fetched.")
