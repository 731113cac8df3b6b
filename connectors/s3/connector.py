"""The connector: what the platform asks of a bucket."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, ClassVar

from catchment.core.clock import iso
from catchment.kit import (
    BrowsePage,
    Capability,
    Complete,
    Connector,
    Content,
    Found,
    Item,
    Kind,
    ListingEvent,
    Scope,
    Session,
    SourceAddress,
)
from catchment.kit.errands import Errand
from connectors.s3 import address as addresses
from connectors.s3 import config as settings
from connectors.s3.bodies import Bodies
from connectors.s3.browse import browse_prefix
from connectors.s3.client import Client
from connectors.s3.config import WHOLE_BUCKET, S3Config
from connectors.s3.credentials import S3Credentials
from connectors.s3.health import no_match, probe
from connectors.s3.listing import objects
from connectors.s3.reading import Reader

_LOOKUPS = 16


class S3(Connector[S3Config, S3Credentials | None]):
    """The objects of one bucket.

    Listing is cheap (a request for a thousand objects), so it has no positions to resume at: a listing
    that was cut off is made again, and what the ledger has is not fetched again.
    """

    slug: ClassVar[str] = "s3"
    display_name: ClassVar[str] = "S3"
    kind: ClassVar[Kind] = Kind.LISTING
    config_model = S3Config
    credentials_model = S3Credentials
    credentials_required: ClassVar[bool] = False
    fetches: ClassVar[int] = 16
    scopes_needed: ClassVar[tuple[str, ...]] = ("s3:ListBucket", "s3:GetObject")
    blind_spots: ClassVar[tuple[str, ...]] = (
        "Who may read an object in S3 is not copied: IAM and bucket policies name no readers. Whoever has a "
        "role on the collection sees the documents.",
        "A new content with the same ETag and size is not seen; Amazon's ETags make that all but impossible.",
        "Metadata and tags changed on an object whose content stays are not seen.",
        "A copy of an object onto itself in other parts, or with another encryption, has a new ETag and is "
        "read once more, though nothing changed.",
        "A move is a removal and an addition: S3 does not tell where an object came from.",
        "Only the latest version of an object is read; older ones are not.",
        "Servers other than Amazon's may list what is written or deleted only after a while.",
        "Objects encrypted with keys of their owners (SSE-C) cannot be read.",
        "Whether an object of intelligent tiering lies in an archive tier is not told by a listing; reading "
        "it fails with storage_class.",
    )

    def __init__(
        self, config: S3Config, credentials: S3Credentials | None = None, session: Session | None = None
    ) -> None:
        super().__init__(config, credentials, session)
        self.client = Client(config, credentials, self.session)
        self._reader = Reader(Bodies(self.client), self.client.errands)

    @classmethod
    def address(cls, text: str) -> SourceAddress | None:
        """Recognise ``s3://bucket/prefix``.

        Raises:
            ConfigRejected: It is one, and cannot work.
        """
        return addresses.address(text)

    @classmethod
    def identity(cls, config: Mapping[str, Any]) -> str:
        """Return server, bucket and prefixes."""
        return settings.identity(config)

    def check(self) -> list[Capability]:
        """Try the sign-in, a listing of each prefix, and one object; tell whether versions are kept."""
        return probe(self)

    def browse(self, parent_id: str | None = None, page: str | None = None) -> BrowsePage:
        """Return prefixes and objects below a prefix of the bucket, 200 a page, whatever `prefix` says.

        Raises:
            SourceError: The bucket cannot be listed.
        """
        return browse_prefix(self.client, parent_id or "", page)

    def scopes(self) -> list[Scope]:
        """Return one scope for each prefix."""
        bucket = self.config.bucket
        return [
            Scope(prefix or WHOLE_BUCKET, f"{bucket}/{prefix}" if prefix else bucket)
            for prefix in self.config.all_prefixes
        ]

    def listing(self, scope: Scope, resume: str | None = None) -> Iterator[ListingEvent]:  # noqa: ARG002
        """Yield every object of a scope, and what is refused; last `Complete`.

        Raises:
            SourceError: A page of the listing cannot be had; all before it was yielded.
            RunCancelled: The run was asked to stop.
        """
        began = iso(self.session.clock.now())
        yield from self.objects(_prefix_of(scope.key))
        yield Complete(mark=began)

    def doubt_empty(self, scope: Scope) -> None:
        """Refuse a prefix that no key begins with; an empty bucket is well.

        Raises:
            ConfigRejected: There is no such key.
            SourceError: The bucket cannot be listed.
        """
        prefix = _prefix_of(scope.key)
        if prefix and next(self.objects(prefix), None) is None:
            raise no_match(self, prefix)

    def objects(self, prefix: str) -> Iterator[Item]:
        """Yield the objects below a prefix.

        Raises:
            SourceError: A page of the listing cannot be had.
        """
        return objects(self.client, prefix)

    def fetch(self, item: Item) -> Content:
        """Return what the object holds now: bytes up to 1 MiB, else a stream, and the fresh item.

        The version comes with the bytes. All parts of a large object belong to one version of it.

        Raises:
            ItemUnreadable: gone, permission, kms_denied, sse_c, storage_class or changed.
            SourceError: The bucket cannot be read.
        """
        return self._reader.content(item)

    def find(self, scopes: Sequence[Scope], names: Sequence[str]) -> Iterator[Found]:
        """Look up objects by key, without listing, 16 at a time; other scopes' are answered with None.

        Raises:
            PermissionMissing: One of them may not be looked at.
            ConfigRejected: There is no such bucket, so that nothing can be said about absence.
            SourceError: The bucket cannot be read.
        """
        prefixes = [(scope.key, _prefix_of(scope.key)) for scope in scopes]
        asked = iter(names)
        line: deque[tuple[str, str | None, Errand[Item | None] | None]] = deque()
        bucket_is_there = False
        while True:
            for name in islice(asked, _LOOKUPS - len(line)):
                scope = next((key for key, prefix in prefixes if name.startswith(prefix)), None)
                line.append((name, scope, self._look_up(name) if scope is not None else None))
            if not line:
                return
            name, scope, errand = line.popleft()
            found = errand.result() if errand is not None else None
            if found is None and scope is not None and not bucket_is_there:
                # A missing bucket says of each object just what a missing object says.
                self.client.page(_prefix_of(scope), None, MaxKeys=1)
                bucket_is_there = True
            yield Found(name, found, scope if found is not None else None)

    def admits(self, path: str) -> bool:
        """Tell whether a key begins with one of the prefixes."""
        return any(path.startswith(prefix) for prefix in self.config.all_prefixes)

    def close(self) -> None:
        """Let go of connections and threads."""
        self.client.close()

    def _look_up(self, name: str) -> Errand[Item | None]:
        return self.client.errands.start(lambda: self.client.look_up(name))


def _prefix_of(scope_key: str) -> str:
    return "" if scope_key == WHOLE_BUCKET else scope_key
