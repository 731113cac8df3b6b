"""A source written as one word: a path or a URL, taken apart."""

from __future__ import annotations

from typing import Any

from msgspec import Struct, field


class SourceAddress(Struct, frozen=True):
    """What a path or URL says about a connector.

    Attributes:
        name: A name to show, taken from the address.
        config: Settings for the connector's `Config`.
        credentials: Secrets that stood in the address; they go to the credentials block and are
            never shown again.
        identity: Equal for two addresses that mean the same source, so that it is reused.
        display: The address as it may be shown: without any secret.
    """

    name: str
    config: dict[str, Any]
    identity: str
    display: str
    credentials: dict[str, Any] = field(default_factory=dict)
