"""What a source stands on: everything that a connector, ours or a third party's, imports."""

from catchment.core.errors import (
    AuthRejected,
    ConfigRejected,
    CursorExpired,
    ItemUnreadable,
    OutOfScope,
    PermissionMissing,
    SourceBusy,
    SourceDown,
)
from catchment.core.items import Changed, Checkpoint, Complete, Content, Deleted, Found, Item, Scope
from catchment.kit.config import SourceConfig, SourceCredentials
from catchment.kit.connector import (
    AccessEntry,
    AccessList,
    Acl,
    BrowsePage,
    ChangeFeed,
    Connector,
    FeedEvent,
    Kind,
    ListingEvent,
    Resource,
)
from catchment.kit.health import Capability, Health
from catchment.kit.network import Network
from catchment.kit.session import Session
from catchment.kit.url import SourceAddress
from catchment.kit.webhook import Handshake

__all__ = [
    "AccessEntry",
    "AccessList",
    "Acl",
    "AuthRejected",
    "BrowsePage",
    "Capability",
    "ChangeFeed",
    "Changed",
    "Checkpoint",
    "Complete",
    "ConfigRejected",
    "Connector",
    "Content",
    "CursorExpired",
    "Deleted",
    "FeedEvent",
    "Found",
    "Handshake",
    "Health",
    "Item",
    "ItemUnreadable",
    "Kind",
    "ListingEvent",
    "Network",
    "OutOfScope",
    "PermissionMissing",
    "Resource",
    "Scope",
    "Session",
    "SourceAddress",
    "SourceBusy",
    "SourceConfig",
    "SourceCredentials",
    "SourceDown",
]
