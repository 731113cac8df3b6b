"""What boto3 reports, as one sentence that names the setting and the remedy.

Two that pass by themselves are raised so that they can be tried again: `SourceBusy` (the server asks for
patience) and `SourceDown` (it failed, or the network did). Everything else is final.
"""

from __future__ import annotations

import math
from email.utils import parsedate_to_datetime
from typing import Any

from msgspec import Struct

from catchment.core.errors import SourceError
from catchment.kit import (
    AuthRejected,
    ConfigRejected,
    ItemUnreadable,
    PermissionMissing,
    SourceBusy,
    SourceDown,
)

_BUSY = frozenset(
    {
        "SlowDown",
        "SlowDownRead",
        "ServiceUnavailable",
        "Throttling",
        "ThrottlingException",
        "ThrottledException",
        "TooManyRequests",
        "TooManyRequestsException",
        "RequestLimitExceeded",
        "BandwidthLimitExceeded",
        "RequestThrottled",
        "429",
        "503",
    }
)
_DOWN = frozenset({"InternalError", "InternalFailure", "RequestTimeout", "RequestTimeoutException"})
_WRONG_KEYS = frozenset(
    {"InvalidAccessKeyId", "SignatureDoesNotMatch", "InvalidClientTokenId", "InvalidToken"}
)
_EXPIRED = frozenset({"ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired"})
_WRONG_REGION = frozenset(
    {
        "PermanentRedirect",
        "AuthorizationHeaderMalformed",
        "IllegalLocationConstraintException",
        "301",
        "308",
    }
)
_DENIED = frozenset(
    {"AccessDenied", "AllAccessDisabled", "AccountProblem", "UnauthorizedAccess", "Forbidden"}
)
_SKEWED = frozenset({"RequestTimeTooSkewed", "RequestExpired", "RequestInTheFuture"})
_GONE = frozenset({"NoSuchKey", "NoSuchVersion", "404", "MethodNotAllowed", "405"})
NO_SERVER_REMEDY = "Give the address of the server's S3 interface, not of its web pages or console."


class WebPage(Exception):
    """A page for people came where a listing was asked for."""


def refuse_web_page(operation_model: Any, response_dict: Any, **_: Any) -> None:
    """Stop boto3 from reading a page for people: it takes one for a server's error in passing.

    Raises:
        WebPage: The answer is one, and no error of a server or gateway.
    """
    if operation_model.name != "ListObjectsV2" or response_dict["status_code"] >= 500:
        return
    head = bytes(response_dict["body"][:512]).lstrip().lower()
    if head.startswith((b"<!doctype html", b"<html")):
        raise WebPage


class Place(Struct, frozen=True):
    """What is asked, for the sentence.

    Attributes:
        shown: The bucket, with its server where that is not Amazon's.
        endpoint: The server, where it is not Amazon's.
        region: The region that the request was signed for.
        anonymous: Whether nothing was signed.
        requester_pays: Whether the requests say who pays.
        role_arn: The role that was assumed.
        now: The moment, POSIX seconds: a server may say until when it wants to be left alone.
    """

    shown: str
    endpoint: str | None = None
    region: str = ""
    anonymous: bool = False
    requester_pays: bool = False
    role_arn: str | None = None
    now: float = 0.0


def source_error(error: Exception, place: Place, *, permission: str = "s3:ListBucket") -> SourceError:
    """Translate an error of boto3 about the bucket as a whole.

    Args:
        error: What boto3 raised; an error of ours is returned as it is.
        place: What was asked.
        permission: What the request needs.
    """
    from botocore.exceptions import ClientError
    from botocore.parsers import ResponseParserError

    if isinstance(error, SourceError):
        return error
    if isinstance(error, ClientError):
        return _answered(error, place, permission)
    if isinstance(error, WebPage):
        return no_server(place, "its answer is a web page")
    if isinstance(error, ResponseParserError):
        return SourceDown(f"{place.shown} sent an answer that cannot be read.")
    return _unanswered(error, place)


def item_error(error: Exception, key: str, place: Place) -> SourceError:
    """Translate an error of boto3 about one object: what concerns it alone becomes `ItemUnreadable`."""
    from botocore import exceptions

    if not isinstance(error, exceptions.ClientError):
        return source_error(error, place, permission="s3:GetObject")
    code, message = code_of(error), _message(error)
    if code in _GONE:
        return ItemUnreadable(key, "gone", "The object is no longer there.")
    if code == "InvalidObjectState":
        said = error.response.get("StorageClass") or error.response["Error"].get("StorageClass")
        shown = f" ({said})" if said else ""
        return ItemUnreadable(
            key, "storage_class", f"The object is archived{shown}: restore it, and the next run reads it."
        )
    if code in ("PreconditionFailed", "412", "InvalidRange", "416"):
        return ItemUnreadable(key, "changed", "The object was replaced while it was read.")
    if code.startswith("KMS.") or (code in _DENIED and "kms" in message.lower()):
        return ItemUnreadable(
            key,
            "kms_denied",
            f"The object is encrypted with a key that may not be used: {message} Grant kms:Decrypt on it.",
        )
    if code in ("InvalidRequest", "400", "InvalidArgument") and "encryption" in message.lower():
        return ItemUnreadable(
            key, "sse_c", "The object is encrypted with a key of its owner's (SSE-C), which is not kept here."
        )
    if code in _DENIED or code == "403":
        return ItemUnreadable(
            key, "permission", f"The object may not be read. {_grant('s3:GetObject', place)}"
        )
    return source_error(error, place, permission="s3:GetObject")


def code_of(error: Any) -> str:
    """Return the error code of an answer; the status where the answer had no body."""
    return str(error.response.get("Error", {}).get("Code") or status_of(error))


def status_of(error: Any) -> int:
    """Return the HTTP status of an answer."""
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode") or 0)


def region_told(error: Any) -> str | None:
    """Return the region that a refusal names as the bucket's."""
    headers = error.response.get("ResponseMetadata", {}).get("HTTPHeaders", {})
    told = headers.get("x-amz-bucket-region") or error.response.get("Error", {}).get("Region")
    return str(told) if told else None


def is_answer(error: object) -> bool:
    """Tell whether an error is an answer of the server; those of the network have an empty one."""
    return isinstance(getattr(error, "response", None), dict)


def says_wrong_region(error: Exception) -> bool:
    """Tell whether an answer says that the bucket lies in another region."""
    if not is_answer(error):
        return False
    code = code_of(error)
    # An answer to HEAD has no body; then only its header tells that 400 means this.
    return code in _WRONG_REGION or (code == "400" and region_told(error) is not None)


def no_server(place: Place, found: str) -> ConfigRejected:
    """Return the error for something that answers, and is no S3 server."""
    return ConfigRejected(
        f"{place.endpoint or 'The server'} does not answer as an S3 server does: {found}.",
        setting="endpoint",
        remedy=NO_SERVER_REMEDY,
    )


def _message(error: Any) -> str:
    said = str(error.response.get("Error", {}).get("Message") or "").strip()
    return said if not said or said.endswith(".") else f"{said}."


def _answered(error: Any, place: Place, permission: str) -> SourceError:
    code, status = code_of(error), status_of(error)
    if code in _BUSY or status in (429, 503):
        return SourceBusy(
            f"{place.shown} asks for fewer requests ({code}).",
            retry_after_seconds=_retry_after(error, place.now),
        )
    if code in _DOWN or status >= 500:
        return SourceDown(f"{place.shown} answers with an error of its own: {code}, status {status}.")
    if code in _WRONG_REGION:
        return _elsewhere(error, place)
    if (refused := _sign_in_refused(code, place)) is not None:
        return refused
    if code in ("NoSuchBucket", "InvalidBucketName"):
        return ConfigRejected(
            f"There is no bucket called {place.shown}.",
            setting="bucket",
            remedy="Check the spelling, and whether it lies at this server and account.",
        )
    if code in _DENIED or (code == "403" and permission != "s3:ListBucket"):
        return PermissionMissing(f"{place.shown} refuses {permission}.", remedy=_grant(permission, place))
    if code.isdecimal():
        # Amazon and its likes tell their errors in XML; what has only a status came from something else.
        return no_server(place, f"its answer is status {code} and not XML")
    return SourceError(f"{place.shown} refuses the request: {code}. {_message(error)}".strip())


def _sign_in_refused(code: str, place: Place) -> SourceError | None:
    if code in _EXPIRED:
        return AuthRejected(
            "The session token has expired.",
            remedy="Store new keys with their session token, or keys that do not expire.",
        )
    if code in _WRONG_KEYS:
        what = {
            "InvalidAccessKeyId": "does not know the access key ID",
            "SignatureDoesNotMatch": "finds the secret access key wrong",
        }.get(code, f"refuses the access key ({code})")
        return AuthRejected(
            f"{place.endpoint or 'Amazon S3'} {what}.",
            remedy="Store the access key again, both halves of it.",
        )
    if code in _SKEWED:
        return SourceError(
            "The clock of this machine differs from the server's by more than it allows (15 minutes).",
            remedy="Set the clock, then sync again.",
        )
    return None


def _elsewhere(error: Any, place: Place) -> ConfigRejected:
    told = region_told(error)
    lies = f" It lies in {told}." if told else ""
    return ConfigRejected(
        f"{place.shown} does not lie in the region {place.region}.{lies}",
        setting="region",
        remedy=f"Set region to {told}." if told else "Set region to the bucket's own.",
    )


def _grant(permission: str, place: Place) -> str:
    if place.anonymous:
        return "The bucket is not public: store an access key, and take `anonymous` away."
    pays = "" if place.requester_pays else "; if its requesters pay, set requester_pays"
    return f"Grant {permission} on it to the identity that signs in{pays}."


def _unanswered(error: Exception, place: Place) -> SourceError:
    """Translate what went wrong before there was an answer."""
    from botocore import exceptions

    server = place.endpoint or "Amazon S3"
    if isinstance(error, exceptions.ProfileNotFound):
        return ConfigRejected(
            f"{error}.",
            setting="profile",
            remedy="Name one of the profiles in the AWS settings of this machine.",
        )
    if isinstance(error, exceptions.SSLError):
        return SourceDown(
            f"The certificate of {server} is not trusted, or it does not speak TLS: {_cause(error)}.",
            remedy="Check `endpoint` (http or https?); for a private authority: CATCHMENT_NETWORK_CA_FILE.",
        )
    if isinstance(error, exceptions.ProxyConnectionError):
        return SourceDown(
            "The proxy cannot be reached.", remedy="Check CATCHMENT_NETWORK_PROXY, or HTTPS_PROXY."
        )
    if isinstance(error, exceptions.HTTPClientError | exceptions.EndpointConnectionError):
        return SourceDown(
            f"{server} cannot be reached: {_cause(error)}.",
            remedy="Check `endpoint` and the network."
            if place.endpoint
            else "Check the network and `region`.",
        )
    if isinstance(error, exceptions.IncompleteReadError | exceptions.ResponseStreamingError):
        return SourceDown(f"The connection to {server} broke off in the middle of an answer.")
    if isinstance(error, exceptions.ParamValidationError | exceptions.InvalidRegionError | ValueError):
        return ConfigRejected(
            f"{place.shown} cannot be asked: {str(error).splitlines()[-1]}.".replace("..", "."),
            setting="bucket",
            remedy="Check bucket, region and endpoint.",
        )
    if isinstance(error, exceptions.BotoCoreError):
        return AuthRejected(
            f"The sign-in failed: {error}".rstrip(".") + ".",
            remedy="Store an access key, or mend the profile or role that signs in.",
        )
    if isinstance(error, OSError):
        return SourceDown(f"{server} cannot be reached: {type(error).__name__}.")
    raise error


def _cause(error: Exception) -> str:
    """Say in a few words what the network said; addresses and settings are in the sentence already."""
    from botocore import exceptions

    text = f"{error} {getattr(error, 'kwargs', {}).get('error', '')}".lower()
    for words, said in (
        (("name or service not known", "failed to resolve", "nodename", "name resolution"), "unknown host"),
        (("connection refused",), "connection refused"),
        (("certificate verify failed",), "the certificate is signed by nobody known"),
        (("hostname mismatch", "doesn't match"), "the certificate is another host's"),
        (("wrong version number", "unknown protocol", "record layer"), "it does not speak TLS"),
        (("no route", "unreachable"), "no way to it"),
    ):
        if any(word in text for word in words):
            return said
    if isinstance(error, exceptions.ConnectTimeoutError | exceptions.ReadTimeoutError):
        return "no answer in time"
    if isinstance(error, exceptions.ConnectionClosedError):
        return "the connection was closed"
    return type(error).__name__


def _retry_after(error: Any, now: float) -> float:
    """Return the seconds that an answer asks to wait; 0 where it does not say."""
    headers = error.response.get("ResponseMetadata", {}).get("HTTPHeaders", {})
    said = str(headers.get("retry-after", "")).strip()
    try:
        seconds = float(said)
    except ValueError:
        try:
            seconds = parsedate_to_datetime(said).timestamp() - now
        except (ValueError, TypeError, OverflowError):
            return 0.0
    return max(seconds, 0.0) if math.isfinite(seconds) else 0.0
