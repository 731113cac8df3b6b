"""The one HTTP client of connectors: signed in, patient, and within bounds.

One request is tried again, never a generator: what has been yielded stays yielded. A vendor that asks to wait
is left alone by everybody who uses the same credential (`catchment.kit.governor`); every wait is visible, and
ends with the run. What a status means is the vendor's own: a connector hands in a `judge` for what differs.
"""

from __future__ import annotations

import email.utils
import json
import logging
import math
import random
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from typing import Any, Protocol, TypeVar

import httpx
from msgspec import Struct

from catchment.core.discreet import Discreet
from catchment.core.errors import (
    AuthRejected,
    ConfigRejected,
    PermissionMissing,
    SourceBusy,
    SourceDown,
    SourceError,
)
from catchment.kit.governor import Governor
from catchment.kit.session import Session
from catchment.kit.wire import Wire

T = TypeVar("T")
CONNECT_SECONDS = 10.0
READ_SECONDS = 60.0
ATTEMPTS = 5
"""Tries of one request that the vendor, or the way to it, does not answer."""
MOST_WAITS = 50
"""Times in a row that a vendor may ask one request to wait before it counts as down."""
UNSAID_SECONDS = 60.0
"""Wait of a vendor that is busy and does not say how long."""
MOST_BYTES = 64 * 1024 * 1024
"""Longest answer that is read at once; anything that may be longer is streamed."""
_REDIRECTS = 5
# It writes down whole addresses, and those of files let in whoever has them.
logging.getLogger("httpx").setLevel(logging.WARNING)


class SignIn(Protocol):
    """What puts a credential into requests."""

    def headers(self) -> Mapping[str, str]:
        """Return what to send along, renewed in time where it ends.

        Raises:
            AuthRejected: It cannot be renewed.
        """

    def renew(self) -> bool:
        """Get another token after a refusal, and say whether there is one."""


class Bearer(Discreet, Struct, frozen=True):
    """A token that never changes."""

    unseen = frozenset({"token"})

    token: str
    scheme: str = "Bearer"

    def headers(self) -> Mapping[str, str]:
        """Return the Authorization header."""
        return {"Authorization": f"{self.scheme} {self.token}"}

    def renew(self) -> bool:
        """Say that there is no other."""
        return False


class Anonymous(Struct, frozen=True):
    """No credential."""

    def headers(self) -> Mapping[str, str]:
        """Return nothing."""
        return {}

    def renew(self) -> bool:
        """Say that there is none."""
        return False


class Wait(Struct, frozen=True):
    """A verdict: ask again after so many seconds; all who use the credential wait."""

    seconds: float
    reason: str


class Again(Struct, frozen=True):
    """A verdict: ask again soon; this request alone failed, by no fault of ours."""

    reason: str


class Renew(Struct, frozen=True):
    """A verdict: the token is no longer good."""

    reason: str


Verdict = Wait | Again | Renew | SourceError | None
"""What an answer means; None is a good one, or one that the caller reads itself."""
Judge = Callable[[httpx.Response], Verdict]


def retry_after(headers: Mapping[str, str], *, now: float) -> float | None:
    """Return the seconds that ``Retry-After`` asks for: a number or a date; None where it says nothing.

    A moment that has passed is 0; no length is cut, since a vendor that asks for a day means it.
    """
    text = headers.get("retry-after", "").strip()
    if not text:
        return None
    try:
        seconds = float(text)
    except ValueError:
        try:
            seconds = email.utils.parsedate_to_datetime(text).timestamp() - now
        except (ValueError, TypeError, OverflowError):
            return None
    return max(seconds, 0.0) if math.isfinite(seconds) else None


class Answer(httpx.Response):
    """An answer whose body is read. Its JSON is taken apart once, however often it is asked for."""

    def json(self, **_: Any) -> Any:
        """Return what the body says.

        Raises:
            ValueError: It is no JSON.
        """
        return self._said

    @cached_property
    def _said(self) -> Any:
        return json.loads(self.content)


class Http:
    """Requests to one vendor with one credential; used by many threads at once.

    Args:
        base_url: Address that paths are relative to; must not end in a slash.
        session: Stop signal, clock and network of the run.
        sign_in: What puts the credential into requests; sent to the host of `base_url` only.
        governor: The pace of that credential.
        judge: What the vendor's own refusals mean; asked before the general rules.
        headers: Sent with every request.
        setting: The setting that the address came from, for errors.
        attempts: Tries of one request that is not answered.
        transport: For tests, the wire.
    """

    def __init__(
        self,
        base_url: str,
        session: Session,
        *,
        sign_in: SignIn,
        governor: Governor,
        judge: Judge | None = None,
        headers: Mapping[str, str] | None = None,
        setting: str = "",
        attempts: int = ATTEMPTS,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self.base_url = base_url
        self._session = session
        self._sign_in = sign_in
        self._governor = governor
        self._judge = judge
        self._setting = setting
        self._attempts = attempts
        self._host = httpx.URL(base_url).host
        self._client = httpx.Client(
            headers={"User-Agent": "catchment", **(headers or {})},
            timeout=httpx.Timeout(READ_SECONDS, connect=CONNECT_SECONDS),
            transport=transport or Wire(session, setting=setting),
            follow_redirects=False,
        )

    def close(self) -> None:
        """Let go of connections."""
        self._client.close()

    def get(self, address: str, *, accept: frozenset[int] = frozenset(), **more: Any) -> httpx.Response:
        """Ask for something and read the whole answer; see `request`."""
        return self.request("GET", address, accept=accept, **more)

    def get_json(self, address: str, **more: Any) -> Any:
        """Ask for JSON.

        Raises:
            SourceDown: The answer is none; it was asked for again meanwhile.
            SourceError: As `request`.
        """
        return self.json_of("GET", address, **more)

    def json_of(self, method: str, address: str, **more: Any) -> Any:
        """Send a request whose answer is JSON.

        Raises:
            SourceDown: The answer is none; it was asked for again meanwhile.
            SourceError: As `request`.
        """
        response = self.request(method, address, reads_json=True, **more)
        return response.json() if response.content else None

    def read(self, address: str, reads: Callable[[httpx.Response], T], **more: Any) -> T:
        """Ask for something, and return what is made of the whole answer.

        Args:
            address: As in `request`.
            reads: Makes it; where it raises ValueError the answer is none, and is asked for again.
            more: What httpx takes.

        Raises:
            SourceError: As `request`.
        """

        def read(response: httpx.Response) -> T:
            whole = self._whole(response)
            try:
                return reads(whole)
            except ValueError as error:
                raise _Unanswered("its answer makes no sense") from error

        return self._persist("GET", address, frozenset(), more, read)

    def request(
        self,
        method: str,
        address: str,
        *,
        accept: frozenset[int] = frozenset(),
        reads_json: bool = False,
        most_bytes: int | None = None,
        **more: Any,
    ) -> httpx.Response:
        """Send a request, as often as it takes, and return the answer with its body.

        The redirects that led to it stand in its `history`.

        Args:
            method: Verb. What is not safe to repeat must not be sent through here.
            address: Path below the base, or a whole URL that the vendor gave.
            accept: Statuses that the caller reads itself, such as 304 or 404.
            reads_json: Ask again where the body of a good answer is not JSON.
            most_bytes: Longest body that is read; empty means `MOST_BYTES`.
            more: What httpx takes: ``params``, ``json``, ``headers``, ...

        Raises:
            AuthRejected: The credential is refused, also after it was renewed.
            PermissionMissing: It may not do this.
            SourceBusy: The vendor asked to wait again and again.
            SourceDown: It does not answer, or makes no sense.
            TooLong: Its answer is longer than is read.
            SourceError: Its own refusal, as the judge reads it.
            RunCancelled: The run was asked to stop.
        """

        def read(response: httpx.Response) -> httpx.Response:
            whole = self._whole(response, most_bytes)
            if reads_json and whole.is_success and whole.content:
                try:
                    whole.json()
                except ValueError as error:
                    raise _Unanswered("its answer is not JSON") from error
            return whole

        return self._persist(method, address, accept, more, read)

    @contextmanager
    def stream(
        self, address: str, *, accept: frozenset[int] = frozenset(), **more: Any
    ) -> Iterator[httpx.Response]:
        """Lend an answer whose body is read by the caller; nothing is tried again once it has begun.

        Raises:
            SourceError: As `request`; also while the body is read, where the connection breaks.
        """
        response = self._persist("GET", address, accept, more, lambda response: response)
        try:
            yield response
        except httpx.HTTPError as error:
            raise SourceDown(f"{self._host} broke off in the middle of an answer.") from error
        finally:
            response.close()

    def _persist(
        self,
        method: str,
        address: str,
        accept: frozenset[int],
        more: Mapping[str, Any],
        read: Callable[[httpx.Response], T],
    ) -> T:
        # No library for retries: tenacity would take our wait and stop as callables, but what is waited for
        # is not this request's own (others may push its end out meanwhile), and refusals draw on three
        # budgets: failures, waits that the vendor asks for, and one renewal of the sign-in.
        failures = waits = 0
        renewed = False
        while True:
            self._governor.wait(self._session)
            try:
                response = self._send(method, address, more)
                verdict = None if response.status_code in accept else self._verdict(response)
                if verdict is None:
                    return read(response)
            except (httpx.HTTPError, _Unanswered) as error:
                verdict = Again(_words(error))
            if isinstance(verdict, Renew):
                if renewed or not self._sign_in.renew():
                    raise AuthRejected(
                        f"{self._host} refuses the credentials: {verdict.reason}.", remedy="Sign in again."
                    )
                renewed = True
            elif isinstance(verdict, Wait):
                waits += 1
                if waits > MOST_WAITS:
                    raise SourceBusy(
                        f"{self._host} keeps asking to wait: {verdict.reason}.",
                        retry_after_seconds=verdict.seconds,
                    )
                self._governor.hold(self._session, verdict.seconds, verdict.reason)
            elif isinstance(verdict, Again):
                failures += 1
                if failures >= self._attempts:
                    raise SourceDown(f"{self._host} does not answer: {verdict.reason}.")
                self._session.wait(_pause(failures), f"{self._host}: {verdict.reason}")
            else:
                raise verdict

    def _send(self, method: str, address: str, more: Mapping[str, Any]) -> httpx.Response:
        """Send once, follow redirects, and return an answer whose body is not read yet."""
        url = httpx.URL(address if "://" in address else f"{self.base_url}{address}")
        rest = dict(more)
        led: list[httpx.Response] = []
        for _ in range(_REDIRECTS):
            self._session.check_stop()
            self._session.network.require_reachable(url.host, setting=self._setting)
            headers = {**self._signed(url), **(rest.get("headers") or {})}
            request = self._client.build_request(method, url, **{**rest, "headers": headers})
            response = self._client.send(request, stream=True)
            response.history = list(led)
            if response.next_request is None:
                return response
            response.close()
            led.append(response)
            # A redirect carries its own query; verbs that change something are none of ours.
            url = response.next_request.url
            rest.pop("params", None)
        raise SourceDown(f"{self._host} leads from address to address without an end.")

    def _signed(self, url: httpx.URL) -> Mapping[str, str]:
        """Return the credential for the vendor itself; another host gets none, nor an unsafe wire."""
        base = httpx.URL(self.base_url)
        is_own = (url.scheme, url.host, url.port) == (base.scheme, base.host, base.port)
        return self._sign_in.headers() if is_own else {}

    def _verdict(self, response: httpx.Response) -> Verdict:
        """Say what an answer means; of one that is not good the body is read."""
        good = response.is_success or response.status_code == httpx.codes.NOT_MODIFIED
        whole = response if good else self._whole(response)
        verdict = self._judge(whole) if self._judge is not None else None
        if verdict is None and not good:
            verdict = general_verdict(whole, now=self._session.clock.now())
        if verdict is not None:
            response.close()
        return verdict

    def _whole(self, response: httpx.Response, most_bytes: int | None = None) -> httpx.Response:
        """Return the answer with its body, read piece by piece: a run that must end does not wait for it."""
        most = MOST_BYTES if most_bytes is None else most_bytes
        pieces: list[bytes] = []
        size = 0
        try:
            for piece in response.iter_bytes():
                self._session.check_stop()
                pieces.append(piece)
                size += len(piece)
                if size > most:
                    raise TooLong(f"An answer of {self._host} is longer than {most / 2**20:.3g} MiB.")
        finally:
            response.close()
        headers = [
            (name, value)
            for name, value in response.headers.multi_items()
            if name not in ("content-encoding", "content-length", "transfer-encoding")
        ]
        return Answer(
            response.status_code,
            headers=headers,
            content=b"".join(pieces),
            request=response.request,
            history=response.history,
        )


def general_verdict(response: httpx.Response, *, now: float) -> Verdict:
    """Return what a refusal means where a vendor says nothing of its own; its body has been read."""
    status, host = response.status_code, response.request.url.host
    asked = retry_after(response.headers, now=now)
    if status == httpx.codes.TOO_MANY_REQUESTS or (status >= 500 and asked is not None):
        return Wait(asked if asked is not None else UNSAID_SECONDS, f"{host} allows no more requests now")
    if status >= 500 or status == httpx.codes.REQUEST_TIMEOUT:
        return Again(f"it answered {status}")
    if status == httpx.codes.UNAUTHORIZED:
        return Renew("it answered 401")
    if status == httpx.codes.FORBIDDEN:
        return PermissionMissing(
            f"{host} does not allow {response.request.url.path}.",
            remedy="Give the credentials this permission.",
        )
    if status in (httpx.codes.NOT_FOUND, httpx.codes.GONE):
        return Missing(f"{host} has no {response.request.url.path}.")
    return ConfigRejected(f"{host} refuses {response.request.url.path}: it answered {status}.")


class Missing(SourceError):
    """What was asked for is not there, or not for these credentials."""

    code = "missing"


class TooLong(SourceDown):
    """An answer is longer than is read; asking again would change nothing."""

    code = "too_long"


class _Unanswered(Exception):
    """An answer that is none."""


def _words(error: Exception) -> str:
    """Say what kept an answer from coming, without the address, which may hold a secret."""
    if isinstance(error, httpx.TimeoutException):
        return "it took too long"
    if isinstance(error, httpx.ConnectError):
        return "no connection"
    if isinstance(error, _Unanswered):
        return str(error)
    return f"the connection broke ({type(error).__name__})"


def _pause(failures: int) -> float:
    """Return the seconds before the next try: 0.5, 1, 2, 4, ... each by chance up to twice as long."""
    return float(min(2.0 ** (failures - 2), 30.0) * random.uniform(1.0, 2.0))  # noqa: S311 - no secret


def pages(first: str, get: Callable[[str], tuple[Any, str | None]]) -> Iterator[Any]:
    """Yield pages until there is no next one.

    Args:
        first: Address or cursor of the first page.
        get: Returns a page, and the address or cursor of the next one.

    Raises:
        SourceDown: A vendor named a page that was there already: following it would never end.
    """
    seen = {first}
    wanted: str | None = first
    while wanted is not None:
        page, wanted = get(wanted)
        yield page
        if wanted is not None:
            if wanted in seen:
                raise SourceDown("The source named the same next page twice: its listing has no end.")
            seen.add(wanted)
