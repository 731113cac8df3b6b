"""What a request can end in, each a sentence with what to do next; none of them holds the token.

    ClientError
    ├── Invalid             change the request; `field` names the part
    │   └── TooLarge        send less at a time
    ├── Unauthenticated     give a good token
    ├── Forbidden           ask somebody who may
    ├── NotFound            no such thing, or one of another tenant
    ├── Conflict            something else holds what this needs; `details` has facts such as its job
    ├── RateLimited         wait `retry_after_seconds`
    ├── Unavailable         a part of the server is away: try again later
    │   └── Unreachable     no answer came at all
    ├── ServerFailed        the server erred, or what answers is no server of ours
    └── StillRunning        a wait ended before its job did

Those that Catchment itself knows, too, are its errors as well: who catches `catchment.core.errors.NotFound`
catches this one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from catchment.core import errors

if TYPE_CHECKING:
    from catchment.client.replies import JobReport, Pushed


class ClientError(errors.CatchmentError):
    """A request did not come to its good end.

    Attributes:
        status: HTTP status of the answer; None where there was none.
        request_id: What the server's log calls the request.
        retry_after_seconds: How long the server asks to wait.
        attempts: How often the request was sent.
        field: Part of the request that is wrong, such as ``config.bucket``.
        details: Facts that the server told beside its sentence.
        pushed: What a push that ended in this error had come to by then.
    """

    def __init__(
        self,
        message: str,
        *,
        remedy: str = "",
        status: int | None = None,
        request_id: str | None = None,
        retry_after_seconds: float | None = None,
        attempts: int = 1,
        field: str | None = None,
        details: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(message, remedy=remedy)
        self.status = status
        self.request_id = request_id
        self.retry_after_seconds = retry_after_seconds
        self.attempts = attempts
        self.field = field
        self.details = dict(details or {})
        self.pushed: Pushed | None = None


class Invalid(ClientError, errors.UsageError):
    """The server cannot use a part of the request; `field` names it where that is known."""

    code = "invalid"


class TooLarge(Invalid):
    """The request holds more than the server takes at a time."""

    code = "too_large"


class Unauthenticated(ClientError, errors.Unauthenticated):
    """The server knows nobody by this token."""


class Forbidden(ClientError, errors.Forbidden):
    """The role of the token does not allow this."""


class NotFound(ClientError, errors.NotFound):
    """There is no such thing, or it belongs to another tenant."""


class Conflict(ClientError, errors.Conflict):
    """Something else holds what the request needs, or its state does not allow it."""


class RateLimited(ClientError, errors.Unavailable):
    """The token has made too many requests; wait `retry_after_seconds`."""

    code = "rate_limited"


class Unavailable(ClientError, errors.Unavailable):
    """A part that the request needs is away; nothing was changed."""


class Unreachable(Unavailable):
    """No answer came. Whether the request arrived is unknown, unless no connection was made."""

    code = "unreachable"


class ServerFailed(ClientError):
    """The server answers with an error of its own, or with what this client cannot read."""

    code = "server_failed"


class StillRunning(ClientError, TimeoutError):
    """A wait ended before its job; the job goes on. `report` tells how it stood last."""

    code = "still_running"

    def __init__(self, message: str, *, report: JobReport | None = None, remedy: str = "") -> None:
        super().__init__(message, remedy=remedy)
        self.report = report
