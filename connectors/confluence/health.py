"""What a connector can do as it stands: each thing tried, with the remedy where it does not work."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from catchment.core.errors import AuthRejected, SourceError
from catchment.kit import Capability, ConfigRejected, Health
from catchment.kit.http import Missing

if TYPE_CHECKING:
    from connectors.confluence.connector import Confluence
from connectors.confluence.records import ATTACHMENT, BLOGPOST, FOOTER, INLINE, PAGE, Record, Space

_GRANT = "Give the account that signs in the right to view this, and the sign-in the scope for it."


def probe(source: Confluence) -> list[Capability]:
    """Try the sign-in first: without it nothing else says anything."""
    try:
        spaces = list(source.reading.spaces(source.config.space_keys))
    except Missing as error:
        wrong = ConfigRejected(
            f"There is no Confluence at {source.config.instance_url}: {error.message}",
            setting="instance_url",
            remedy="Check the address; at Data Center it ends in the context path, where there is one.",
        )
        return [Capability.failed("sign-in", wrong)]
    except SourceError as error:
        return [Capability.failed("sign-in", error, setting="instance_url", remedy=_GRANT)]
    results = [Capability("sign-in", Health.OK, f"The sign-in is good at {source.config.instance_url}.")]
    results += _spaces(source, spaces)
    first: dict[str, Record | None] = {}
    for name, kind in _wanted(source):
        results.append(_tried(name, lambda kind=kind: first.update({kind: source.api.first(kind)})))  # type: ignore[misc]
    results.append(_tried("permissions", lambda: _permissions(source, spaces, first.get(PAGE))))
    return results


def _spaces(source: Confluence, spaces: list[Space]) -> Iterator[Capability]:
    shown = {space.key for space in spaces}
    missing = [key for key in source.config.space_keys if key not in shown]
    for key in missing:
        yield Capability(
            "spaces",
            Health.MISCONFIGURED,
            f"The site has no space {key}, or does not show it to this account.",
            remedy="Check the key, and that the account may view the space.",
            setting="space_keys",
        )
    if not spaces and not missing:
        yield Capability(
            "spaces", Health.DENIED, "The account sees no space.", remedy="Let the account view the spaces."
        )
    elif not missing:
        yield Capability("spaces", Health.OK, f"{len(spaces)} spaces are read.")


def _wanted(source: Confluence) -> Iterator[tuple[str, str]]:
    yield "pages", PAGE
    yield "blog posts", BLOGPOST
    if source.client.is_data_center:
        # The others come along with these.
        return
    if source.config.attachments:
        yield "attachments", ATTACHMENT
    if source.config.comments:
        yield "comments", FOOTER
        yield "inline comments", INLINE


def _tried(name: str, act: Callable[[], object]) -> Capability:
    try:
        act()
    except Missing:
        return Capability(name, Health.DENIED, "The site has no such list.", remedy=_GRANT)
    except AuthRejected as error:
        return Capability.failed(name, error)
    except SourceError as error:
        return Capability.failed(name, error, remedy=_GRANT)
    return Capability(name, Health.OK, f"The {name} can be read.")


def _permissions(source: Confluence, spaces: list[Space], page: Record | None) -> None:
    """Ask who may read one space and one page."""
    if spaces:
        source.rights.readers(source.rights.space_name(spaces[0]))
    if page is not None:
        source.rights.restriction(page.id)
