"""``catchment up``, ``down`` and ``worker``: the local stack."""

from __future__ import annotations

from catchment.cli.house import House
from catchment.cli.output import out


def up(*, background: bool = False) -> int:
    """Run the local stack: Prefect's server, a worker, the HTTP API, and the upkeep of the store.

    Stays until Ctrl-C, which lets running syncs stop first. Commands that need the stack start it by
    themselves; this keeps it running, for schedules and for Prefect's pages.

    Args:
        background: Return when it is ready. It then stops after 30 idle minutes, unless a schedule is active.
    """
    house = House()
    _refuse_outside(house)
    if background:
        return _in_background(house)
    out.note("Starting the local stack ...")
    from catchment.cli.token import show_first
    from catchment.core import startup
    from catchment.local.hooks import find_hooks
    from catchment.local.http import want
    from catchment.local.paths import prepare
    from catchment.local.stack import run_stack

    prepare(house.root)
    want(house.root)
    hooks = find_hooks(house.root)
    startup.started()
    return run_stack(
        house.root,
        background=False,
        say=out.note if out.json else out.say,
        sweep=hooks.sweep,
        idle=hooks.idle,
        before_start=hooks.before_start,
        on_drain=hooks.on_drain,
        on_ready=lambda: show_first(house),
    )


def _in_background(house: House) -> int:
    from catchment.cli.token import show_first
    from catchment.local.http import want
    from catchment.local.paths import prepare
    from catchment.local.stack import wait_for_http

    was_there = house.stack_state() is not None
    prepare(house.root)
    want(house.root)
    house.ensure_stack()
    state = wait_for_http(house.root)
    if out.json:
        out.record(
            running=True, started=not was_there, ui=state.ui_url, api=state.api_url, http=state.http_url
        )
        show_first(house)
        return 0
    out.say("The local stack runs already." if was_there else "The local stack is ready.")
    out.facts(
        [
            ("Prefect's pages", state.ui_url),
            ("Sign in with", state.auth),
            ("The HTTP API", state.http_url),
            ("Stop it with", "catchment down"),
        ]
    )
    show_first(house)
    return 0


def down() -> int:
    """Stop the local stack; running syncs stop first and go on at the next start."""
    house = House()
    from catchment.local.stack import stop_stack

    stopped = stop_stack(house.root, say=out.note)
    if out.json:
        out.record(stopped=stopped)
    else:
        out.say("The local stack is down." if stopped else "The local stack was not running.")
    return 0


def worker(*, limit: int | None = None, name: str | None = None) -> int:
    """Run one more worker, against CATCHMENT_PREFECT_API_URL or the local stack.

    Stays until Ctrl-C. Every worker needs the same store and the same providers installed.

    Args:
        limit: Most runs at a time; twice the number of cores if absent.
        name: How Prefect shows it; the name of this machine and the process id if absent.
    """
    import os
    import socket
    import sys

    from catchment.local.environment import child_environment, worker_environment
    from catchment.local.pool import POOL, furnish
    from catchment.local.settings import StackSettings

    house = House()
    out.note("Starting a worker ...")
    with house.connect() as client:
        house.engine()
        if not house.is_local and client.work_pool(POOL) is None:
            furnish(client, house.root)
        address = client.api_url
    secret = house.settings.prefect_api_auth
    state = house.stack_state() if house.is_local else None
    sign_in = state.auth if state is not None else secret or ""
    settings = StackSettings()
    environment = child_environment(house.root, api_url=address, auth=sign_in)
    environment |= worker_environment(poll_seconds=settings.worker_poll_seconds)
    words = ["--pool", POOL, "--name", name or f"{socket.gethostname()}-{os.getpid()}"]
    words += ["--limit", str(limit or settings.worker_limit)]
    house.root.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.chdir(house.root)
    sys.stdout.flush()
    # This process becomes the worker: signals reach it without a middleman.
    os.execve(  # noqa: S606 - our own interpreter and our own words
        sys.executable, [sys.executable, "-P", "-u", "-m", "catchment.local.worker", *words], environment
    )


def _refuse_outside(house: House) -> None:
    from catchment.core.errors import UsageError

    if not house.is_local:
        raise UsageError(
            "CATCHMENT_PREFECT_API_URL names an outside Prefect, so there is no local stack to run.",
            remedy="Unset it, or start a worker for that Prefect: catchment worker.",
        )
