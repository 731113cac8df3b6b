"""Where providers are found: the entry-point group ``catchment.connectors``, ours and anybody's."""

from __future__ import annotations

from functools import cache
from importlib.metadata import EntryPoint, PackageNotFoundError, distribution, entry_points
from typing import Any

from catchment.core.errors import ConfigRejected, NotFound
from catchment.kit.connector import Connector
from catchment.kit.url import SourceAddress

OURS = "catchment"
CONNECTORS_GROUP = "catchment.connectors"
FLOWS_GROUP = "catchment.flows"
FALLBACK_FLOW = "flows.connectors:sync_connector"

AnyConnector = Connector[Any, Any]


def _point(group: str, slug: str) -> EntryPoint | None:
    """Find one entry point, ours first: nobody takes a name of ours, and no other package is looked into."""
    return _own_points(group).get(slug) or _points(group).get(slug)


@cache
def _own_points(group: str) -> dict[str, EntryPoint]:
    try:
        own = distribution(OURS).entry_points
    except PackageNotFoundError:
        return {}
    return {point.name: point for point in own if point.group == group}


@cache
def _points(group: str) -> dict[str, EntryPoint]:
    return {point.name: point for point in entry_points(group=group)}


def providers() -> list[str]:
    """Return the slugs of all installed providers, sorted."""
    return sorted(_points(CONNECTORS_GROUP))


@cache
def provider(slug: str) -> type[AnyConnector]:
    """Return the connector class of a provider.

    Raises:
        NotFound: No such provider is installed.
    """
    point = _point(CONNECTORS_GROUP, slug)
    if point is None:
        raise NotFound(
            f"There is no provider called {slug!r}.",
            remedy=f"Installed are: {', '.join(providers()) or 'none'}.",
        )
    loaded: type[AnyConnector] = point.load()
    return loaded


def flow_entrypoint(slug: str) -> str:
    """Return ``module.function`` of the flow that syncs this provider, without importing it."""
    point = _point(FLOWS_GROUP, slug)
    return (point.value if point else FALLBACK_FLOW).replace(":", ".")


def recognise(text: str) -> tuple[str, SourceAddress]:
    """Return the provider and the parts of a path or URL.

    Raises:
        ConfigRejected: No installed provider knows such an address, or it cannot work.
    """
    for slug in providers():
        address = provider(slug).address(text)
        if address is not None:
            return slug, address
    raise ConfigRejected(
        "No installed provider knows this address.",
        setting="source",
        remedy="Give a folder such as ./docs, or the name of a connector that exists.",
    )
