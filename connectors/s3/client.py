"""The way to one bucket: requests through boto3, tried again in step, errors in our words."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from catchment.core.errors import CatchmentError
from catchment.kit import Item, PermissionMissing, Session
from catchment.kit.errands import Errands
from catchment.kit.governor import governor_for
from connectors.s3.config import S3Config
from connectors.s3.credentials import S3Credentials
from connectors.s3.errors import (
    Place,
    code_of,
    is_answer,
    item_error,
    no_server,
    region_told,
    says_wrong_region,
    source_error,
)
from connectors.s3.items import Describe
from connectors.s3.pace import Pace
from connectors.s3.signin import SignIn

T = TypeVar("T")
_LONGEST_KEY = 1024


class Client:
    """Requests to one bucket; may be used by many threads.

    Attributes:
        errands: Where blocking requests run.
        pace: What repeats them.
        sign_in: Who signs them.
        region: The region that they are signed for; corrected once by what the server says.
    """

    def __init__(self, config: S3Config, credentials: S3Credentials | None, session: Session) -> None:
        self.config = config
        self.network = session.network
        self._now = session.clock.now
        self.describe = Describe(config)
        self.errands = Errands(session)
        # Servers count by bucket, whoever asks.
        governor = governor_for("s3", f"{config.endpoint or ''} {config.bucket}")
        self.pace = Pace(session, self.errands, governor)
        self.sign_in = SignIn(config, credentials, session)
        self.region = ""
        self._lock = threading.Lock()
        self._boto: Any = None
        self._asks_for_restores = True

    @property
    def server(self) -> str:
        """URL of the server that boto3 asks, once it knows the region."""
        return str(self._client().meta.endpoint_url)

    @property
    def place(self) -> Place:
        """What is asked, for error messages."""
        config = self.config
        return Place(
            config.shown,
            config.endpoint,
            self.region,
            anonymous=config.anonymous,
            requester_pays=config.requester_pays,
            role_arn=config.role_arn,
            now=self._now(),
        )

    def ask(
        self, operation: str, /, *, permission: str = "s3:ListBucket", **arguments: Any
    ) -> dict[str, Any]:
        """Make a request about the bucket, again where that may help.

        Raises:
            SourceError: It was refused, or failed for good.
            RunCancelled: The run was asked to stop meanwhile.
        """
        return self.pace.run(lambda: self.ask_once(operation, permission=permission, **arguments))

    def ask_once(
        self, operation: str, /, *, permission: str = "s3:ListBucket", **arguments: Any
    ) -> dict[str, Any]:
        """Make a request about the bucket, once.

        Raises:
            SourceError: It was refused, or failed.
        """
        with self._in_our_words(lambda error: source_error(error, self.place, permission=permission)):
            return self.raw(operation, **arguments)

    def ask_for(self, key: str, operation: str, /, **arguments: Any) -> dict[str, Any]:
        """Make a request about one object, once.

        Raises:
            ItemUnreadable: The object cannot be had.
            SourceError: The bucket cannot be read at all.
        """
        with self._in_our_words(lambda error: item_error(error, key, self.place)):
            return self.raw(operation, Key=key, **arguments)

    def raw(self, operation: str, /, **arguments: Any) -> dict[str, Any]:
        """Make a request, in the bucket's own region, errors as boto3 raises them."""
        boto = self._client()
        try:
            return self._send(boto, operation, arguments)
        except Exception as error:
            if not says_wrong_region(error) or not self._move(boto, region_told(error)):
                raise
        return self._send(self._client(), operation, arguments)

    def page(self, prefix: str, token: str | None, *, once: bool = False, **more: Any) -> dict[str, Any]:
        """Return one page of a listing.

        Raises:
            ConfigRejected: What answers is no S3 server.
            SourceError: It was refused, or failed for good.
        """
        ask = self.ask_once if once else self.ask
        arguments = {"Prefix": prefix, **more, **({"ContinuationToken": token} if token else {})}
        if self._asks_for_restores and "Delimiter" not in more:
            try:
                return self._listed(
                    ask("list_objects_v2", OptionalObjectAttributes=["RestoreStatus"], **arguments)
                )
            except CatchmentError as error:
                if not _refuses_an_extra(error):
                    raise
                self._asks_for_restores = False
        return self._listed(ask("list_objects_v2", **arguments))

    def look_up(self, key: str) -> Item | None:
        """Return what is known of one object; None where there is none.

        Raises:
            PermissionMissing: It may not be looked at.
            SourceError: The bucket cannot be read.
        """
        if not 0 < len(key.encode("utf-8", "surrogatepass")) <= _LONGEST_KEY or not _is_text(key):
            return None
        return self.pace.run(lambda: self._look_up(key))

    def close(self) -> None:
        """Let go of threads and connections."""
        self.errands.close()
        with self._lock:
            boto, self._boto = self._boto, None
        if boto is not None:
            boto.close()

    def _look_up(self, key: str) -> Item | None:
        from botocore.exceptions import ClientError

        try:
            return self.describe.looked_up(key, self.raw("head_object", Key=key))
        except ClientError as error:
            code = code_of(error)
            if code in ("404", "NoSuchKey", "405"):
                return None
            told = source_error(error, self.place, permission="s3:GetObject")
            if code not in ("400", "401", "403"):
                raise told from error
            # The answer to HEAD has no body that would say more; the same question as a listing has.
            self.ask_once("list_objects_v2", Prefix=key, MaxKeys=1)
            if isinstance(told, PermissionMissing):
                raise told from error
            raise source_error(error, self.place) from error
        except Exception as error:
            raise source_error(error, self.place) from error

    def _listed(self, answer: dict[str, Any]) -> dict[str, Any]:
        """Refuse an answer that is no listing: a web page may well look like an empty one."""
        if "IsTruncated" not in answer and "Name" not in answer:
            raise no_server(self.place, "its answer is no listing")
        return answer

    def _send(self, boto: Any, operation: str, arguments: dict[str, Any]) -> dict[str, Any]:
        if self.config.requester_pays and operation in _PAID:
            arguments = {**arguments, "RequestPayer": "requester"}
        answer: dict[str, Any] = getattr(boto, operation)(Bucket=self.config.bucket, **arguments)
        return answer

    def _client(self) -> Any:
        with self._lock:
            if self._boto is None:
                self.region = self.region or self.sign_in.region()
                self._boto = self.sign_in.client(self.region)
            return self._boto

    def _move(self, boto: Any, region: str | None) -> bool:
        """Sign for another region from now on; False where there is none to try."""
        with self._lock:
            if self._boto is not boto:
                return True
            if region is None or region == self.region:
                return False
            self.region, self._boto = region, None
            return True

    @contextmanager
    def _in_our_words(self, translate: Callable[[Exception], Exception]) -> Iterator[None]:
        try:
            yield
        except CatchmentError:
            raise
        except Exception as error:
            told = translate(error)
            raise told from error


_PAID = ("list_objects_v2", "head_object", "get_object")
_NOT_ASKED = ("NotImplemented", "InvalidArgument", "InvalidRequest", "UnsupportedOperation", "501")


def _refuses_an_extra(error: CatchmentError) -> bool:
    """Whether a server does not know the header that asks for restored copies of archived objects."""
    cause: Any = error.__cause__
    return is_answer(cause) and code_of(cause) in _NOT_ASKED


def _is_text(key: str) -> bool:
    try:
        key.encode()
    except UnicodeEncodeError:
        return False
    return True
