"""``catchment migrate``, ``doctor`` and ``version``."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from catchment.cli import outcome
from catchment.cli.house import House
from catchment.cli.output import out


def migrate(*, source: Annotated[str | None, Parameter("--from")] = None) -> int:
    """Bring the store to the newest schema, after a copy of its file was made.

    The local stack does this by itself at its start.

    Args:
        source: Copy this store first, a file or sqlite:/// address, into the empty PostgreSQL that
            CATCHMENT_DATABASE_URL names; nothing has to be synced again.
    """
    if source is not None:
        return _moved(source)
    from catchment.core.errors import UsageError
    from catchment.local.state import is_held
    from catchment.store import migrate as store

    house = House()
    engine = house.unchecked_engine()
    if house.store_path is None or house.store_path.exists():
        before = store.current_revision(engine)
        if before == store.HEAD:
            return _migrated([f"The store is at revision {store.HEAD} already."])
        if before is not None and is_held(house.root):
            raise UsageError(
                "The local stack is running on the old schema.",
                remedy="Stop it first: catchment down. The next start migrates by itself.",
            )
    house.root.mkdir(mode=0o700, parents=True, exist_ok=True)
    return _migrated(store.migrate(engine))


def _moved(source: str) -> int:
    """Copy another store into the one of this installation."""
    from pathlib import Path

    from catchment.core.errors import UsageError
    from catchment.local.state import is_held
    from catchment.store.engine import open_engine
    from catchment.store.move import move

    house = House()
    if is_held(house.root):
        raise UsageError(
            "The local stack is running, and may write to either store.",
            remedy="Stop it first: catchment down.",
        )
    if "://" not in source:
        path = Path(source).expanduser().absolute()
        if not path.is_file():
            raise UsageError(f"There is no store at {path}.", remedy="Give the path of a catchment.db.")
        source = f"sqlite:///{path}"

    def report(table: str, rows: int) -> None:
        if not out.json and rows:
            out.note(f"  {table}: {rows}")

    moved = move(open_engine(source), house.unchecked_engine(), on_table=report)
    if out.json:
        out.record(store_id=moved.store_id, rows=moved.rows)
    else:
        out.say(
            f"The store was copied: {moved.rows.get('documents', 0)} documents. From now on use the new one "
            "only; both carry the same identity."
        )
    return 0


def _migrated(told: list[str]) -> int:
    from catchment.store.migrate import HEAD

    if out.json:
        out.record(revision=HEAD, done=told)
    else:
        for sentence in told:
            out.say(sentence)
    return 0


def doctor() -> int:
    """Look for what is wrong with this installation, and say what to do. Starts nothing."""
    from catchment.services.doctor import examine
    from catchment.services.findings import Verdict

    house = House()
    state = house.stack_state() if house.is_local else None
    secret = house.settings.prefect_api_auth
    findings = examine(
        home=house.root,
        store_url=house.settings.store_url,
        prefect_url=state.api_url if state is not None else house.settings.prefect_api_url,
        prefect_auth=state.auth if state is not None else secret or "",
        is_local=house.is_local,
        report=_report,
    )
    wrong = sum(one.verdict is Verdict.WRONG for one in findings)
    if not out.json:
        out.say()
        out.say(
            "Everything is in order." if not wrong else f"Something is wrong: {wrong} of {len(findings)}."
        )
    return outcome.FAILED if wrong else outcome.DONE


def _report(name: str, verdict: str, message: str, remedy: str) -> None:
    if out.json:
        out.record(check=name, verdict=verdict, message=message, remedy=remedy)
        return
    out.say(f"{verdict:<6}  {name:<18} {message}")
    if remedy:
        out.say(f"{'':<26} {remedy}")


def version_text() -> str:
    """Return the version of Catchment."""
    from importlib.metadata import version as installed

    return installed("catchment")


def version() -> int:
    """Show the versions of Catchment and of what it stands on."""
    import platform
    from importlib.metadata import version as installed

    parts = {name: installed(name) for name in ("catchment", "prefect", "sqlalchemy")}
    parts["python"] = platform.python_version()
    if out.json:
        out.record(**parts)
    else:
        out.facts(parts.items())
    return 0
