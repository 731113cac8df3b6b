"""One named flow per source, and one for sources of third parties.

Deployments name them by module path (``flows.connectors.sync_folder``). They all take the same
parameters, which `catchment.core.parameters.RunParameters` describes.

Each is made when it is asked for: Prefect derives a form from the parameters of every flow that it meets, and
a process that runs one would wait for all of them.
"""

from __future__ import annotations

from functools import cache
from typing import Any, Literal

from prefect import Flow, flow

from catchment.core.parameters import RunParameters
from flows.sync import sync

SOURCES = {
    "folder": "a folder of this machine",
    "s3": "a bucket of S3, or of any server that speaks its protocol,",
    "postgresql": "tables, views and queries of a PostgreSQL database",
    "github": "files, issues, pull requests and discussions of GitHub repositories",
    "confluence": "pages, comments and attachments of Confluence spaces",
    "notion": "pages, databases and files of a Notion workspace",
    "rss": "the entries of RSS, Atom and JSON feeds",
    "connector": "a connector of any installed provider",
}
"""What each flow syncs, by the end of its name: ``sync-folder`` in Prefect, ``sync_folder`` here."""

Mode = Literal["auto", "full", "incremental"]


def __getattr__(name: str) -> Flow[..., Any]:
    """Return the flow of this name.

    Raises:
        AttributeError: There is none.
    """
    source = name.removeprefix("sync_")
    if source == name or source not in SOURCES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return _flow_of(source)


def __dir__() -> list[str]:
    return sorted([*globals(), *(f"sync_{source}" for source in SOURCES)])


@cache
def _flow_of(source: str) -> Flow[..., Any]:
    def sync_source(
        connector: str,
        mode: Mode = "auto",
        file_filter: list[str] = [],  # noqa: B006 - Prefect shows the default in its form; nobody changes it
        allow_mass_delete: bool = False,
        dry_run: bool = False,
    ) -> Any:
        """Sync {} into its collection.

        Args:
            connector: Name or id of the connector.
            mode: auto skips what is unchanged; full redoes everything; incremental takes what is named.
            file_filter: Exact paths or ids to sync; empty means no filter.
            allow_mass_delete: Carry out removals that the guard would hold back.
            dry_run: Say what would be done, and do nothing.
        """
        return sync(
            RunParameters(
                connector=connector,
                mode=mode,
                file_filter=file_filter,
                allow_mass_delete=allow_mass_delete,
                dry_run=dry_run,
            )
        )

    assert sync_source.__doc__ is not None
    sync_source.__doc__ = sync_source.__doc__.format(SOURCES[source])
    sync_source.__name__ = sync_source.__qualname__ = f"sync_{source}"
    return flow(name=f"sync-{source}", flow_run_name="{connector} {mode}", persist_result=False)(sync_source)
