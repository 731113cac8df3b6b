"""The server that a command speaks to where one is configured, instead of this machine's own store."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from importlib import import_module
from typing import TYPE_CHECKING, ParamSpec

from catchment.core.errors import UsageError
from catchment.core.server import TOKEN, URL, ServerSettings

if TYPE_CHECKING:
    from catchment.client import Client

QUICK_ATTEMPTS, QUICK_SECONDS = 3, 0.2
"""A person who waits for an answer is told soon that nobody is there."""
_SETTINGS = {"address": URL, "token": TOKEN}
P = ParamSpec("P")
UNSET = f"Unset {URL} to work on the store of this machine."


def is_remote() -> bool:
    """Tell whether a server is configured."""
    return ServerSettings.read().url is not None


def or_there(module: str) -> Callable[[Callable[P, int]], Callable[P, int]]:
    """Have a command carried out by the server where one is configured.

    The function of the same name in a module of `catchment.cli.remote` does it, with the same arguments.
    """

    def decorate(here: Callable[P, int]) -> Callable[P, int]:
        @wraps(here)
        def command(*args: P.args, **kwargs: P.kwargs) -> int:
            if not is_remote():
                return here(*args, **kwargs)
            there: Callable[P, int] = getattr(import_module(f"catchment.cli.remote.{module}"), here.__name__)
            return there(*args, **kwargs)

        return command

    return decorate


@contextmanager
def server() -> Iterator[Client]:
    """Speak to the configured server; its errors name the setting that helps.

    Raises:
        UsageError: The settings are incomplete or wrong, or the server does not answer.
    """
    from catchment.client import Client, Invalid, Retries, Unauthenticated, Unreachable

    settings = ServerSettings.read()
    assert settings.url is not None
    if not settings.token:
        raise UsageError(
            f"{URL} names a server, but {TOKEN} is not set.",
            remedy=f"Set it to what catchment token add showed there. {UNSET}",
        )
    failed: UsageError
    try:
        retries = Retries(attempts=QUICK_ATTEMPTS, first_seconds=QUICK_SECONDS)
        with Client(settings.url, settings.token, retries=retries) as client:
            yield client
            return
    except Unreachable as error:
        failed = UsageError(error.message, remedy=f"Check {URL}, and that the server runs. {UNSET}")
    except Unauthenticated:
        failed = UsageError(
            "The server does not know the token.",
            remedy=f"Set {TOKEN} to one that is in use there; catchment token add makes one.",
        )
    except Invalid as error:
        if error.field not in _SETTINGS:
            raise
        setting = _SETTINGS[error.field]
        failed = UsageError(f"The setting {setting} cannot be used.", remedy=f"{error.remedy} {UNSET}")
    raise failed


def require_local() -> None:
    """Refuse what can only be done on this machine, where a server is configured.

    Raises:
        UsageError: One is.
    """
    if is_remote():
        raise UsageError(
            f"This command works on the store of this machine only, and {URL} names a server.", remedy=UNSET
        )


def only_locally(option: str) -> UsageError:
    """Return the error for an option that no server takes."""
    return UsageError(f"{option} works on the store of this machine only.", remedy=UNSET)
