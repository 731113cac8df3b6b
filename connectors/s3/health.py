"""What `check` tries: the sign-in, a listing, one object; and what it tells about versions."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from catchment.core.errors import SourceError
from catchment.kit import (
    Capability,
    ConfigRejected,
    Health,
    Item,
    ItemUnreadable,
    PermissionMissing,
)

if TYPE_CHECKING:
    from connectors.s3.connector import S3

_TRIED_OBJECTS = 1000
_UNTRIED = "Not tried, because what comes before it does not work."


def probe(source: S3) -> list[Capability]:
    """Return how sign-in, list and read stand, each tried only if the one before is well; then versions."""
    signed = _sign_in(source)
    if signed.health is not Health.OK:
        return [signed, *(Capability(name, signed.health, _UNTRIED) for name in ("list", "read"))]
    first, listed = _list(source)
    if listed.health is not Health.OK:
        return [signed, listed, Capability("read", listed.health, _UNTRIED)]
    return [signed, listed, _read(source, first), _versions(source)]


def _sign_in(source: S3) -> Capability:
    try:
        source.client.page(source.config.all_prefixes[0], None, MaxKeys=1)
    except (PermissionMissing, ConfigRejected) as error:
        if isinstance(error, ConfigRejected) and error.setting not in ("bucket", "prefix"):
            return failed("sign-in", error)
    except SourceError as error:
        return failed("sign-in", error)
    who = "Nothing is signed." if source.config.anonymous else "The sign-in is accepted."
    return Capability("sign-in", Health.OK, who)


def _list(source: S3) -> tuple[Item | None, Capability]:
    """List the beginning of each prefix; one without a single object is most likely a slip of the pen."""
    first: Item | None = None
    try:
        for prefix in source.config.all_prefixes:
            seen = 0
            for item in islice(source.objects(prefix), _TRIED_OBJECTS):
                seen += 1
                if first is None and item.refusal is None:
                    first = item
                if first is not None:
                    break
            if not seen and prefix:
                return None, failed("list", no_match(source, prefix))
    except SourceError as error:
        return None, failed("list", error)
    return first, Capability("list", Health.OK, f"{source.config.shown} can be listed.")


def no_match(source: S3, prefix: str) -> ConfigRejected:
    """Return the error for a prefix that no key begins with."""
    return ConfigRejected(
        f"No key in {source.config.shown} begins with {prefix!r}.",
        setting="prefix" if prefix == source.config.bare_prefix else "prefixes",
        remedy="Check its spelling, with capitals and slashes; choose one with: catchment connector browse.",
    )


def _read(source: S3, item: Item | None) -> Capability:
    if item is None:
        return Capability("read", Health.OK, "There is no object yet to try.")
    try:
        source.fetch(item).stream().close()
    except ItemUnreadable as error:
        return Capability(
            "read", Health.DENIED, f"{error.key}: {error.message}", remedy="Grant s3:GetObject."
        )
    except SourceError as error:
        return failed("read", error)
    return Capability("read", Health.OK, f"{item.path} can be read.")


def _versions(source: S3) -> Capability:
    """Tell whether the bucket keeps versions; nothing depends on it, so it never is a fault."""
    try:
        told = source.client.ask("get_bucket_versioning", permission="s3:GetBucketVersioning").get("Status")
    except SourceError:
        return Capability("versions", Health.OK, "Whether the bucket keeps versions is not told.")
    if told is None:
        return Capability("versions", Health.OK, "The bucket keeps no versions.")
    kept = "keeps versions" if told == "Enabled" else "once kept versions"
    return Capability("versions", Health.OK, f"The bucket {kept}; the latest of each object is read.")


def failed(name: str, error: SourceError) -> Capability:
    """Say how a capability stands that ended in this error."""
    return Capability.failed(name, error, remedy="Look at the server and the network, then try again.")
