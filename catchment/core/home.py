"""Where one installation keeps everything that it owns, read from the environment.

A plain struct, unlike the other settings: reading the store, which `search` and `status` do, needs
nothing else, and pydantic would be a third of what they cost.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from msgspec import Struct

from catchment.core.discreet import Discreet

OAUTH_CLIENT = "CATCHMENT_OAUTH_"
"""So begin the variables that hand the API the clients of sign-ins (`catchment.services.oauth_clients`)."""


class HomeSettings(Discreet, Struct, frozen=True):
    """One installation.

    Attributes:
        root: Folder of this installation, absolute: store, Prefect's own home, spool files, state of
            the local stack. ``CATCHMENT_HOME``; by default a folder of the user's data directory.
        database_url: Address of the store, by default an SQLite file in `root`.
            ``CATCHMENT_DATABASE_URL``. May hold a password, so it is never shown.
        prefect_api_url: Address of an outside Prefect API, by default the local stack's own.
            ``CATCHMENT_PREFECT_API_URL``.
        prefect_api_auth: ``user:password`` for it. ``CATCHMENT_PREFECT_API_AUTH``. Never shown.
    """

    unseen = frozenset({"database_url", "prefect_api_auth"})

    root: Path
    database_url: str | None = None
    prefect_api_url: str | None = None
    prefect_api_auth: str | None = None

    @classmethod
    def read(cls, environ: Mapping[str, str] = os.environ) -> HomeSettings:
        """Read the settings; an empty value is as good as none."""
        home = environ.get("CATCHMENT_HOME")
        return cls(
            root=(Path(home) if home else _default_home()).expanduser().absolute(),
            database_url=environ.get("CATCHMENT_DATABASE_URL") or None,
            prefect_api_url=environ.get("CATCHMENT_PREFECT_API_URL") or None,
            prefect_api_auth=environ.get("CATCHMENT_PREFECT_API_AUTH") or None,
        )

    @property
    def store_url(self) -> str:
        """Address of the store as SQLAlchemy reads it."""
        return self.database_url or f"sqlite:///{self.root / 'catchment.db'}"


def _default_home() -> Path:
    from platformdirs import user_data_path

    return user_data_path("catchment", appauthor=False)


@cache
def home_settings() -> HomeSettings:
    """Read the settings once per process."""
    return HomeSettings.read()
