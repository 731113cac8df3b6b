"""The words that Catchment speaks with Prefect's REST API, over one synchronous connection pool.

Prefect itself is never imported here: the command starts in a tenth of the time, and a fleet may run another
patch release of Prefect than we do. https://docs.prefect.io/v3/api-ref/rest-api
"""

from __future__ import annotations

import os
import random
import ssl
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Self
from urllib.parse import urlsplit

import httpx

from catchment.core.errors import Unavailable, UsageError

FINAL_STATES = ("COMPLETED", "FAILED", "CANCELLED", "CRASHED")
LIVE_STATES = ("PENDING", "RUNNING", "CANCELLING")

_PAGE = 200  # the server's own upper limit for one page
_FIRST_WAIT_SECONDS = 0.05
_LAST_WAIT_SECONDS = 0.2
_TRIES = 10
_RETRY_WINDOW_SECONDS = 5.0


class PrefectRefused(UsageError):
    """Prefect understood the request and refuses it; `status` is the HTTP status, `detail` its answer."""

    code = "prefect_refused"

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(f"Prefect refuses the request with status {status}: {detail}")
        self.status = status
        self.detail = detail


class PrefectClient:
    """One Prefect API. Threads may share it; close it, or use it as a context manager."""

    def __init__(
        self,
        api_url: str,
        auth: str = "",
        *,
        timeout: float = 10.0,
        transport: httpx.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Prepare the connection; nothing is sent yet.

        Args:
            api_url: address that ends in ``/api``.
            auth: ``user:password``, or nothing for an open server.
            timeout: seconds for one attempt.
            transport: takes the place of the network in tests.
            sleep: takes the place of the clock in tests.
        """
        self.api_url = api_url.rstrip("/")
        user, _, password = auth.partition(":")
        # A proxy of the environment must not see requests to this machine, nor our sign-in.
        on_this_machine = urlsplit(self.api_url).hostname in {"127.0.0.1", "localhost", "::1"}
        self._sleep = sleep
        self._http = httpx.Client(
            base_url=self.api_url,
            auth=httpx.BasicAuth(user, password) if auth else None,
            timeout=timeout,
            trust_env=not on_this_machine,
            verify=_nobody() if on_this_machine and self.api_url.startswith("http:") else True,
            transport=transport,
        )

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] = os.environ) -> PrefectClient:
        """Speak to the Prefect that this process belongs to, as a flow process does.

        Raises Unavailable where ``PREFECT_API_URL`` is not set.
        """
        if not environ.get("PREFECT_API_URL"):
            raise Unavailable("This process belongs to no Prefect.", remedy="Start it through Catchment.")
        return cls(environ["PREFECT_API_URL"], environ.get("PREFECT_API_AUTH_STRING", ""))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def request(self, method: str, path: str, json: Any = None) -> Any:
        """Send one request and return the decoded answer, or None where there is none.

        A 503 ("database is locked", which an idle SQLite server says too) and a broken connection are tried
        again after 50 to 200 ms, at most 10 times within 5 s. So a request may arrive twice: what creates
        something carries an idempotency key or can be repeated without harm.

        Raises:
            PrefectRefused: a 4xx answer.
            Unavailable: Prefect is away, too slow, or answers with an error of its own.
        """
        give_up_at = time.monotonic() + _RETRY_WINDOW_SECONDS
        wait = _FIRST_WAIT_SECONDS
        for attempt in range(1, _TRIES + 1):
            try:
                response = self._http.request(method, path, json=json)
            except httpx.TimeoutException as error:
                # Not tried again: it has already cost the whole timeout.
                raise Unavailable(f"Prefect at {self.api_url} does not answer in time.") from error
            except httpx.TransportError as error:
                reason = Unavailable(f"Prefect at {self.api_url} cannot be reached: {error}")
                reason.__cause__ = error
            else:
                if response.status_code != 503:
                    return _answer(response)
                reason = Unavailable("Prefect is busy and asks to try again later (503).")
            if attempt == _TRIES or time.monotonic() + wait > give_up_at:
                break
            self._sleep(wait * random.uniform(0.8, 1.2))  # noqa: S311 - spreads retries, guards no secret
            wait = min(wait * 2, _LAST_WAIT_SECONDS)
        raise reason

    # What the server is and has.

    def is_healthy(self) -> bool:
        """Say whether the API answers; never raises and tries once."""
        try:
            response = self._http.get("/health", timeout=2.0)
        except httpx.HTTPError:
            return False
        return response.status_code == 200

    def find(self, path: str, **filters: Any) -> Iterator[dict[str, Any]]:
        """Read all pages of a ``.../filter`` address."""
        offset = 0
        while page := self.request("POST", path, {**filters, "limit": _PAGE, "offset": offset}):
            yield from page
            if len(page) < _PAGE:
                return
            offset += len(page)

    # Work pools and their workers.

    def work_pool(self, name: str) -> dict[str, Any] | None:
        """Read a work pool; None when there is none of that name."""
        try:
            pool: dict[str, Any] = self.request("GET", f"/work_pools/{name}")
        except PrefectRefused as refused:
            if refused.status == 404:
                return None
            raise
        return pool

    def save_work_pool(self, name: str, *, template: Mapping[str, Any], description: str) -> None:
        """Create the ``process`` work pool, or give the existing one this job template."""
        pool = self.work_pool(name)
        if pool is None:
            body = {"name": name, "type": "process", "description": description}
            self.request("POST", "/work_pools/", {**body, "base_job_template": template})
        elif pool["base_job_template"] != template:
            self.request("PATCH", f"/work_pools/{name}", {"base_job_template": template})

    def pause_work_pool(self, name: str, *, paused: bool) -> None:
        """Pause or resume a work pool; a paused one hands out no runs."""
        self.request("PATCH", f"/work_pools/{name}", {"is_paused": paused})

    def workers(self, pool: str) -> list[dict[str, Any]]:
        """List the workers that ever polled this pool."""
        return list(self.find(f"/work_pools/{pool}/workers/filter"))

    # Flow runs.

    def flow_runs(
        self, *, states: Sequence[str], pool: str | None = None, due_before: str | None = None
    ) -> Iterator[dict[str, Any]]:
        """List flow runs in these states, newest expected start first."""
        filters = _run_filters(states, pool=pool, due_before=due_before)
        yield from self.find("/flow_runs/filter", sort="EXPECTED_START_TIME_DESC", **filters)

    def count_flow_runs(self, *, states: Sequence[str], pool: str | None = None) -> int:
        """Count flow runs in these states."""
        return int(self.request("POST", "/flow_runs/count", _run_filters(states, pool=pool)))

    def flow_run(self, run_id: str) -> dict[str, Any] | None:
        """Read one flow run; None when it is gone."""
        try:
            run: dict[str, Any] = self.request("GET", f"/flow_runs/{run_id}")
        except PrefectRefused as refused:
            if refused.status == 404:
                return None
            raise
        return run

    def set_state(
        self, run_id: str, state: str, *, name: str | None = None, message: str = "", force: bool = False
    ) -> str:
        """Propose a state for a flow run and return the verdict: ACCEPT, REJECT, ABORT or WAIT.

        `force` passes over the orchestration rules: for runs whose process is known to be dead.
        """
        body = {"type": state, "name": name or state.title(), "message": message}
        verdict = self.request("POST", f"/flow_runs/{run_id}/set_state", {"state": body, "force": force})
        return str(verdict["status"])

    # Automations.

    def save_automation(self, automation: Mapping[str, Any]) -> None:
        """Create the automation unless one of its name exists; a person's changes to it stay."""
        named = {"name": {"any_": [automation["name"]]}}
        if next(self.find("/automations/filter", automations=named), None) is None:
            self.request("POST", "/automations/", dict(automation))


def _nobody() -> ssl.SSLContext:
    """Trust no authority at all: reading those of the world takes 0.03 s, and plain HTTP needs none."""
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def _run_filters(
    states: Sequence[str], *, pool: str | None = None, due_before: str | None = None
) -> dict[str, Any]:
    runs: dict[str, Any] = {"state": {"type": {"any_": list(states)}}}
    if due_before is not None:
        runs["expected_start_time"] = {"before_": due_before}
    filters: dict[str, Any] = {"flow_runs": runs}
    if pool is not None:
        filters["work_pools"] = {"name": {"any_": [pool]}}
    return filters


def _answer(response: httpx.Response) -> Any:
    if response.status_code >= 500:
        raise Unavailable(f"Prefect answers with an error of its own ({response.status_code}).")
    if response.status_code >= 400:
        raise PrefectRefused(response.status_code, _detail(response))
    return response.json() if response.content else None


def _detail(response: httpx.Response) -> str:
    try:
        body = response.json()
    except ValueError:
        return response.text[:500]
    detail = body.get("detail", body) if isinstance(body, dict) else body
    return str(detail)[:500]
