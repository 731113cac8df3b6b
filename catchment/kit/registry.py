"""Where providers are found: the entry-point group ``catchment.connectors``, ours and anybody's.

A provider of ours whose code is not installed is known by its name and settings (`catchment.kit.catalog`);
one that is only for tests exists where the environment asks for it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib.metadata import EntryPoint, PackageNotFoundError, distribution, entry_points
from typing import TYPE_CHECKING, Any, Protocol

from catchment.core.errors import ConfigRejected, NotFound
from catchment.kit.connector import Connector

if TYPE_CHECKING:
    from catchment.kit.url import SourceAddress

OURS = "catchment"
CONNECTORS_GROUP = "catchment.connectors"
FLOWS_GROUP = "catchment.flows"
FALLBACK_FLOW = "flows.connectors:sync_connector"

PUSHED = "LOCAL"
"""Execution of a connector that is pushed to, as its row says."""
_FOR_TESTS = {"fixture": ("CATCHMENT_FIXTURE_PROVIDER", "connectors.fixture:Fixture")}
"""Providers that exist only where a variable of the environment is 1: the variable, and the class."""

AnyConnector = Connector[Any, Any]
_lent: dict[str, type[AnyConnector]] = {}


class Stored(Protocol):
    """The part of a stored connector that says which class reads it."""

    @property
    def provider(self) -> str:
        """Slug of its provider."""

    @property
    def execution(self) -> str:
        """``CLOUD`` or ``LOCAL``."""


def _point(group: str, slug: str) -> EntryPoint | None:
    """Find one entry point, ours first: nobody takes a name of ours, and no other package is looked into."""
    found = _own_points(group).get(slug) or _points(group).get(slug)
    return _test_point(slug) if found is None and group == CONNECTORS_GROUP else found


def _test_point(slug: str) -> EntryPoint | None:
    variable, value = _FOR_TESTS.get(slug, ("", ""))
    return EntryPoint(slug, value, CONNECTORS_GROUP) if variable and os.environ.get(variable) == "1" else None


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
    return sorted({*_points(CONNECTORS_GROUP), *(slug for slug in _FOR_TESTS if _test_point(slug))})


def known() -> list[str]:
    """Return the slugs of all providers that connectors can be made of, installed or not, sorted."""
    from catchment.kit.catalog import PLANNED

    return sorted({*providers(), *(planned.slug for planned in PLANNED)})


def is_installed(slug: str) -> bool:
    """Tell whether the code of a provider is there."""
    return slug in _lent or _point(CONNECTORS_GROUP, slug) is not None


@cache
def provider(slug: str) -> type[AnyConnector]:
    """Return the connector class of a provider; of one that is not installed, what stands in for it.

    Raises:
        NotFound: No such provider is known.
    """
    if slug in _lent:
        return _lent[slug]
    point = _point(CONNECTORS_GROUP, slug)
    if point is None:
        return _stand_in(slug)
    loaded: type[AnyConnector] = point.load()
    return loaded


def _stand_in(slug: str) -> type[AnyConnector]:
    from catchment.kit.catalog import stand_in  # runs of what is installed have no use for it

    planned = stand_in(slug)
    if planned is None:
        raise NotFound(
            f"There is no provider called {slug!r}.",
            remedy=f"Installed are: {', '.join(providers()) or 'none'}.",
        )
    return planned


@contextmanager
def lent(connector: type[AnyConnector]) -> Iterator[None]:
    """Know a class by its slug while the block lasts, before any that is installed: for trying connectors."""
    before = dict(_lent)
    _lent[connector.slug] = connector
    provider.cache_clear()
    try:
        yield
    finally:
        _lent.clear()
        _lent.update(before)
        provider.cache_clear()


def provider_of(connector: Stored) -> type[AnyConnector]:
    """Return the class of a stored connector: whoever is pushed to needs no code of its provider.

    Raises:
        NotFound: No such provider is known.
    """
    if connector.execution != PUSHED:
        return provider(connector.provider)
    from catchment.kit.push import Push

    return Push


def require_installed(connector: Stored) -> None:
    """Refuse a connector whose source nothing can read.

    Raises:
        catchment.core.errors.NotInstalled: The code of its provider is not installed.
    """
    found = provider_of(connector)
    if not found.installed:
        from catchment.kit.catalog import not_installed

        raise not_installed(found.display_name)


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
