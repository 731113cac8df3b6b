"""One named flow per source, and one for sources of third parties.

Deployments name them by module path (``flows.connectors.sync_folder``). They all take the same
parameters, which `catchment.core.parameters.RunParameters` describes.
"""

from typing import Any, Literal

from prefect import flow

from catchment.core.parameters import RunParameters
from flows.sync import sync

Mode = Literal["auto", "full", "incremental"]


@flow(name="sync-folder", flow_run_name="{connector} {mode}", persist_result=False)
def sync_folder(
    connector: str,
    mode: Mode = "auto",
    file_filter: list[str] = [],  # noqa: B006 - Prefect shows the default in its form; nobody changes it
    allow_mass_delete: bool = False,
    dry_run: bool = False,
) -> Any:
    """Sync a folder of this machine into its collection.

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


@flow(name="sync-s3", flow_run_name="{connector} {mode}", persist_result=False)
def sync_s3(
    connector: str,
    mode: Mode = "auto",
    file_filter: list[str] = [],  # noqa: B006 - as above
    allow_mass_delete: bool = False,
    dry_run: bool = False,
) -> Any:
    """Sync a bucket of S3, or of any server that speaks its protocol, into its collection.

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


@flow(name="sync-postgresql", flow_run_name="{connector} {mode}", persist_result=False)
def sync_postgresql(
    connector: str,
    mode: Mode = "auto",
    file_filter: list[str] = [],  # noqa: B006 - as above
    allow_mass_delete: bool = False,
    dry_run: bool = False,
) -> Any:
    """Sync tables, views and queries of a PostgreSQL database into their collection.

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


@flow(name="sync-github", flow_run_name="{connector} {mode}", persist_result=False)
def sync_github(
    connector: str,
    mode: Mode = "auto",
    file_filter: list[str] = [],  # noqa: B006 - as above
    allow_mass_delete: bool = False,
    dry_run: bool = False,
) -> Any:
    """Sync files, issues, pull requests and discussions of GitHub repositories into their collection.

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


@flow(name="sync-confluence", flow_run_name="{connector} {mode}", persist_result=False)
def sync_confluence(
    connector: str,
    mode: Mode = "auto",
    file_filter: list[str] = [],  # noqa: B006 - as above
    allow_mass_delete: bool = False,
    dry_run: bool = False,
) -> Any:
    """Sync pages, comments and attachments of Confluence spaces into their collection.

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


@flow(name="sync-notion", flow_run_name="{connector} {mode}", persist_result=False)
def sync_notion(
    connector: str,
    mode: Mode = "auto",
    file_filter: list[str] = [],  # noqa: B006 - as above
    allow_mass_delete: bool = False,
    dry_run: bool = False,
) -> Any:
    """Sync pages, databases and files of a Notion workspace into their collection.

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


@flow(name="sync-rss", flow_run_name="{connector} {mode}", persist_result=False)
def sync_rss(
    connector: str,
    mode: Mode = "auto",
    file_filter: list[str] = [],  # noqa: B006 - as above
    allow_mass_delete: bool = False,
    dry_run: bool = False,
) -> Any:
    """Sync the entries of RSS, Atom and JSON feeds into their collection.

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


@flow(name="sync-connector", flow_run_name="{connector} {mode}", persist_result=False)
def sync_connector(
    connector: str,
    mode: Mode = "auto",
    file_filter: list[str] = [],  # noqa: B006 - as above
    allow_mass_delete: bool = False,
    dry_run: bool = False,
) -> Any:
    """Sync a connector of any installed provider into its collection.

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
