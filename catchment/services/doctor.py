"""The doctor: looks at everything that a sync stands on, changes nothing, and says what to do."""

from __future__ import annotations

import os
import shutil
import stat
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from msgspec import Struct
from sqlalchemy import Engine

from catchment.core.errors import CatchmentError, Unavailable
from catchment.core.settings import parse_settings, sync_settings
from catchment.services.context import Context
from catchment.services.doctor_store import look_at_store, numbers
from catchment.services.findings import Finding, Verdict
from catchment.services.prefect_client import PrefectClient, PrefectRefused

GIB = 1024**3
PINS: Mapping[str, tuple[tuple[int, ...], tuple[int, ...]]] = {
    "prefect": ((3, 8, 8), (3, 9)),
    "fastapi": ((0, 139), (0, 151)),
    "sqlalchemy": ((2, 0, 40), (2, 1)),
}
"""From this version on, and below that one; see pyproject.toml for the reasons."""


class Patient(Struct, frozen=True):
    """What is looked at.

    Attributes:
        home: Folder of the installation.
        store_url: Address of the store.
        prefect_url: Address of Prefect's API; None where the local stack is meant and does not run.
        prefect_auth: ``user:password`` for it, or nothing.
        is_local: Whether that is the local stack's own.
    """

    home: Path
    store_url: str
    prefect_url: str | None
    prefect_auth: str
    is_local: bool


Report = Callable[[str, str, str, str], None]


def examine(
    *, home: Path, store_url: str, prefect_url: str | None, prefect_auth: str, is_local: bool, report: Report
) -> list[Finding]:
    """Look at everything and return what was found; `report` hears of each finding at once."""
    patient = Patient(home, store_url, prefect_url, prefect_auth, is_local)
    findings = []
    for finding in _examine(patient):
        findings.append(finding)
        report(finding.name, finding.verdict, finding.message, finding.remedy)
    return findings


def _examine(patient: Patient) -> Iterator[Finding]:
    yield _python()
    for name in PINS:
        yield _pinned(name)
    yield from _home(patient.home)
    yield _parser()
    engine = None
    for found in look_at_store(patient.store_url):
        if isinstance(found, Engine):
            engine = found
        else:
            yield found
    client = _client(patient)
    if client is None:
        yield Finding("prefect", Verdict.NOTE, "The local stack is not running; what needs it starts it.")
    else:
        with client:
            yield from _prefect(client, patient)
            if engine is not None:
                yield from _connectors(engine, client)
        return
    if engine is not None:
        yield from _connectors(engine, None)


def _python() -> Finding:
    told = f"Python {sys.version_info.major}.{sys.version_info.minor}.{sys.version_info.micro}"
    if (3, 11) <= sys.version_info < (3, 14):
        return Finding("python", Verdict.OK, told)
    return Finding("python", Verdict.WRONG, f"{told} is untried.", "Use Python 3.11, 3.12 or 3.13.")


def _pinned(name: str) -> Finding:
    least, below = PINS[name]
    wanted = f"{name}>={'.'.join(map(str, least))},<{'.'.join(map(str, below))}"
    try:
        installed = version(name)
    except PackageNotFoundError:
        return Finding(name, Verdict.WRONG, f"{name} is not installed.", f"Install {wanted}.")
    if least <= numbers(installed) < below:
        return Finding(name, Verdict.OK, f"{name} {installed}")
    return Finding(name, Verdict.WRONG, f"{name} {installed} does not work with this.", f"Install {wanted}.")


def _home(home: Path) -> Iterator[Finding]:
    if not home.exists():
        parent = next(folder for folder in home.parents if folder.exists())
        if os.access(parent, os.W_OK):
            yield Finding("home", Verdict.NOTE, f"{home} is not there yet; the first use makes it.")
        else:
            yield Finding(
                "home", Verdict.WRONG, f"{home} cannot be made.", "Set CATCHMENT_HOME to a folder of yours."
            )
        return
    if not os.access(home, os.W_OK | os.X_OK):
        yield Finding("home", Verdict.WRONG, f"{home} cannot be written to.", f"Run: chmod u+rwx {home}")
    elif stat.S_IMODE(home.stat().st_mode) & 0o077:
        yield Finding(
            "home",
            Verdict.WRONG,
            f"Others can look into {home}, which holds secrets.",
            f"Run: chmod 700 {home}",
        )
    else:
        yield Finding("home", Verdict.OK, str(home))
    free = shutil.disk_usage(home).free
    told = f"{free / GIB:.1f} GiB free"
    if free < sync_settings().min_free_bytes:
        yield Finding("disk", Verdict.WRONG, f"Only {told}: runs stop with disk_full.", "Free some space.")
    else:
        yield Finding("disk", Verdict.NOTE if free < GIB else Verdict.OK, told)


def _parser() -> Finding:
    from catchment.core.documents import ParsedDocument, ParseRequest
    from catchment.parsing.process import ParserProcess

    try:
        with ParserProcess(parse_settings()) as process:
            answer = next(iter(process.parse([ParseRequest("probe.txt", "text/plain", b"probe")])))
    except Exception as error:
        return Finding("parser", Verdict.WRONG, f"The parser process does not start: {type(error).__name__}.")
    if isinstance(answer, ParsedDocument) and "probe" in answer.text:
        return Finding("parser", Verdict.OK, "The parser process starts and answers.")
    return Finding("parser", Verdict.WRONG, "The parser process gives wrong answers.", "Install it again.")


def _client(patient: Patient) -> PrefectClient | None:
    if patient.prefect_url is None:
        return None
    return PrefectClient(patient.prefect_url, patient.prefect_auth)


def _prefect(client: PrefectClient, patient: Patient) -> Iterator[Finding]:
    from catchment.services.orchestrator import POOL

    if not client.is_healthy():
        remedy = (
            "Run: catchment down, then catchment up."
            if patient.is_local
            else "Check CATCHMENT_PREFECT_API_URL."
        )
        yield Finding("prefect api", Verdict.WRONG, f"{client.api_url} does not answer.", remedy)
        return
    try:
        pool = client.work_pool(POOL)
    except (Unavailable, PrefectRefused) as error:
        remedy = "Set CATCHMENT_PREFECT_API_AUTH to user:password." if not patient.is_local else ""
        yield Finding("prefect sign-in", Verdict.WRONG, error.message, remedy)
        return
    yield Finding("prefect api", Verdict.OK, f"{client.api_url} answers and lets us in.")
    yield _guarded(patient)
    if pool is None:
        yield Finding(
            "work pool", Verdict.WRONG, f"There is no work pool {POOL!r}.", "Run: catchment worker."
        )
    elif pool.get("is_paused"):
        yield Finding(
            "work pool", Verdict.WRONG, f"The work pool {POOL!r} is paused.", "Resume it in Prefect."
        )
    else:
        yield Finding("work pool", Verdict.OK, POOL)
        yield _worker(client, POOL)
    yield _blocks(client)


def _guarded(patient: Patient) -> Finding:
    """Ask as a stranger would: Prefect gives every block secret in clear to whoever may ask."""
    assert patient.prefect_url is not None
    with PrefectClient(patient.prefect_url) as stranger:
        try:
            stranger.request("POST", "/block_documents/filter", {"limit": 1})
        except PrefectRefused:
            return Finding("prefect secrets", Verdict.OK, "Prefect asks for a sign-in.")
        except Unavailable as error:
            return Finding(
                "prefect secrets", Verdict.NOTE, f"It cannot be told who may read: {error.message}"
            )
    return Finding(
        "prefect secrets",
        Verdict.WRONG,
        "This Prefect gives the credentials of all sources to anybody who can reach it.",
        "Set PREFECT_SERVER_API_AUTH_STRING on the server, and CATCHMENT_PREFECT_API_AUTH here.",
    )


def _worker(client: PrefectClient, pool: str) -> Finding:
    online = [worker["name"] for worker in client.workers(pool) if worker.get("status") == "ONLINE"]
    if online:
        return Finding("worker", Verdict.OK, f"{len(online)} online: {', '.join(online[:3])}")
    return Finding(
        "worker", Verdict.WRONG, "No worker is online: runs wait for ever.", "Run: catchment worker."
    )


def _blocks(client: PrefectClient) -> Finding:
    from catchment.kit import registry
    from catchment.services.blocks import CURSOR_TYPE, credentials_type

    wanted = [CURSOR_TYPE]
    for slug in registry.providers():
        with suppress(CatchmentError):
            if registry.provider(slug).credentials_model is not None:
                wanted.append(credentials_type(slug))
    missing = []
    for slug in wanted:
        try:
            client.request("GET", f"/block_types/slug/{slug}")
        except PrefectRefused:
            missing.append(slug)
    if missing:
        return Finding(
            "block types",
            Verdict.WRONG,
            f"Not registered: {', '.join(missing)}.",
            "Start a worker: catchment worker (or: prefect block register -m catchment.blocks).",
        )
    return Finding("block types", Verdict.OK, f"{len(wanted)} registered")


def _connectors(engine: Engine, client: PrefectClient | None) -> Iterator[Finding]:
    from catchment.services.connectors import all_connectors, check

    def connect() -> PrefectClient:
        if client is None:
            raise Unavailable("Its credentials lie in Prefect, which is not running.")
        return client

    context = Context(engine, connect=connect)
    for row in all_connectors(context):
        name = f"connector {row.slug}"
        try:
            bad = [result for result in check(context, row) if result.health != "ok"]
        except Unavailable as error:
            yield Finding(name, Verdict.NOTE, error.message, "Run: catchment up, then look again.")
        except CatchmentError as error:
            yield Finding(name, Verdict.WRONG, error.message, error.remedy)
        except Exception as error:
            yield Finding(name, Verdict.WRONG, f"Its check ends with an unexpected {type(error).__name__}.")
        else:
            yield (
                Finding(name, Verdict.OK, "Everything it needs works.")
                if not bad
                else Finding(name, Verdict.WRONG, f"{bad[0].name}: {bad[0].message}", bad[0].remedy)
            )
