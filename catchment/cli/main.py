"""The `catchment` command: its parts, its exit codes, and how an error becomes a sentence.

Every part imports what it needs inside its functions, so that a command costs only its own.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from cyclopts import App, CycloptsError, Group, Parameter

from catchment.cli import (
    api,
    connector,
    cursor,
    documents,
    groups,
    keeping,
    oauth,
    outcome,
    runs,
    search,
    simulate,
    stack,
    status,
    sync,
    token,
)
from catchment.cli.output import out

if TYPE_CHECKING:
    from pydantic import ValidationError

_COMMANDS: dict[Group, tuple[Callable[..., int], ...]] = {
    groups.SYNC: (sync.sync, status.status, runs.runs),
    groups.FIND: (search.search, documents.documents, documents.why),
    groups.KEEP: (
        stack.up,
        stack.down,
        stack.worker,
        api.api,
        keeping.migrate,
        keeping.doctor,
        keeping.version,
    ),
    groups.TRY: (simulate.simulate,),
}
EPILOGUE = "Every command takes --json: one JSON object per line on standard output, and nothing else there."


def build() -> App:
    """Put the command together."""
    app = App(
        name="catchment",
        help="Keep searchable collections true to the places where people keep documents.",
        version_flags=("--version",),
        version=keeping.version_text,
        help_format="plaintext",
        help_epilogue=EPILOGUE,
        default_parameter=Parameter(negative=(), show_default=False),
        suppress_keyboard_interrupt=False,
    )
    for part in (connector.app, runs.app, cursor.app, documents.app, token.app, oauth.app):
        app.command(part)
    for group, functions in _COMMANDS.items():
        for function in functions:
            app.command(function, group=group)
    return app


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command line and return its exit code; see docs/cli.md."""
    words, as_json = _take_json(sys.argv[1:] if arguments is None else arguments)
    out.begin(words, as_json=as_json)
    try:
        return _run(words)
    except KeyboardInterrupt:
        out.note("Stopped.")
        return outcome.INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has seen enough; the interpreter must not complain at exit either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return outcome.DONE
    except CycloptsError as error:
        return _wrong_use(error)
    except Exception as error:
        return _failed(error)


def _take_json(arguments: Sequence[str]) -> tuple[list[str], bool]:
    """Take ``--json`` out of the words, wherever it stands before a ``--``."""
    words = list(arguments)
    end = words.index("--") if "--" in words else len(words)
    kept = [word for word in words[:end] if word != "--json"]
    return kept + words[end:], len(kept) < end


def _run(words: list[str]) -> int:
    code = build()(words, print_error=False, exit_on_error=False, result_action="return_value")
    return code if isinstance(code, int) else outcome.DONE


def _wrong_use(error: CycloptsError) -> int:
    sentence = " ".join(str(error).split())
    _tell(sentence, code="usage", remedy="See: catchment --help.")
    return outcome.WRONG_USE


def _failed(error: Exception) -> int:
    """Write an error as a sentence and return the exit code; the traceback goes to the log."""
    from pydantic import ValidationError

    from catchment.core.errors import CatchmentError, UsageError

    debug = bool(os.environ.get("CATCHMENT_DEBUG"))
    if isinstance(error, CatchmentError):
        if debug:
            _print_traceback(error)
        _tell(error.message, code=error.code, remedy=error.remedy)
        return outcome.WRONG_USE if isinstance(error, UsageError) else outcome.FAILED
    if isinstance(error, ValidationError) and (setting := _bad_setting(error)) is not None:
        _tell(setting, code="config", remedy="Change it, or unset it.")
        return outcome.WRONG_USE
    if debug:
        _print_traceback(error)
    log = _log(error)
    _tell(
        f"An unexpected {type(error).__name__} ended the command.",
        code="internal",
        remedy=f"The log has the details: {log}" if log is not None else "Run it with CATCHMENT_DEBUG=1.",
    )
    return outcome.FAILED


def _tell(message: str, *, code: str, remedy: str) -> None:
    if out.json:
        out.record(error=message, code=code, remedy=remedy)
    out.note(f"{message} {remedy}".strip())


def _bad_setting(error: ValidationError) -> str | None:
    """Name the environment variable that holds a setting's bad value; the value is not repeated."""
    from catchment.core.settings import ApiSettings, ParseSettings, SyncSettings
    from catchment.local.settings import StackSettings

    subjects = {SyncSettings: "SYNC", ParseSettings: "PARSE", ApiSettings: "API", StackSettings: "STACK"}
    for settings, subject in subjects.items():
        if settings.__name__ == error.title:
            first = error.errors(include_input=False, include_url=False, include_context=False)[0]
            # A reader of the environment names the variable itself, others the field.
            name = str(first["loc"][0]).upper().removeprefix(f"CATCHMENT_{subject}_")
            return f"The setting CATCHMENT_{subject}_{name} cannot be used: {first['msg']}."
    return None


def _print_traceback(error: Exception) -> None:
    import traceback

    out.note("".join(traceback.format_exception(error)).rstrip())


def _log(error: Exception) -> Path | None:
    """Append the traceback to the log of this home and return where that is, or None."""
    import traceback

    from catchment.core.clock import SystemClock, iso
    from catchment.core.home import home_settings

    try:
        log = home_settings().root / "logs" / "cli.log"
        log.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(handle, "a", encoding="utf-8", errors="backslashreplace") as file:
            told = out.hide("".join(traceback.format_exception(error)))
            file.write(f"{iso(SystemClock().now())} catchment\n{told}\n")
    except Exception:
        return None
    return log


if __name__ == "__main__":
    sys.exit(main())
