"""Connectors: made, shown, changed, removed, tried, synced.

Whatever makes something goes over the Aimable face, whose idempotency keys let a request be repeated without
making it twice; the rest goes over the ZenSearch face, which says more of a connector. A connector that is
pushed to can only be made over the Trove face.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal
from uuid import uuid4

from catchment.client import places
from catchment.client.asking import cursor_pages, data, graphql, offset_pages, read
from catchment.client.asking import delete as delete_at
from catchment.client.errors import Conflict, NotFound
from catchment.client.ids import prefixed
from catchment.client.jobs import report_of
from catchment.client.places import CONNECTORS, collection_path, connector_path, nested_path
from catchment.client.replies import Connector, JobReport, Resource, Trial, UpdatedConnector
from catchment.client.session import Part
from catchment.client.steps import Call, Steps

Mode = Literal["auto", "full", "incremental"]
_CREATE_PUSHED = "mutation Create($input: CreateConnectorInput!) { createConnector(input: $input) { id } }"
_CURSOR = "query Cursor($id: ID!) { connector(id: $id) { cursor } }"


class Keep:
    """Stands for what is to stay as it is, where None takes something away."""


KEEP: Final = Keep()


def create(
    here: Part,
    type: str,
    *,
    name: str | None = None,
    collection: str | None = None,
    config: Mapping[str, Any] | None = None,
    credentials: Mapping[str, Any] | None = None,
    schedule: str | None = None,
    key: str | None = None,
) -> Steps[Connector]:
    """Make a connector that fetches by itself; its source is not contacted.

    Args:
        here: The client.
        type: Provider, such as ``s3`` or ``google_drive``.
        name: What people call it.
        collection: Id of its collection; the default one if absent.
        config: What is to be synced.
        credentials: What it signs in with; no answer ever has them. Without what its provider needs, the
            connector is ``inactive`` until an update brings them.
        schedule: When to sync it, such as ``every 6 hours``.
        key: Makes a repetition of this call, within 24 hours, give the same connector; a fresh one if absent.
    """
    place = yield from collection_path(here, collection)
    given = {"name": name, "schedule": schedule}
    body: dict[str, Any] = {
        "provider_slug": type.replace("_", "-"),
        "scope_config": dict(config or {}),
        # An empty one leaves a connector that waits for its credentials; none at all may be refused.
        "credential": dict(credentials or {}),
    }
    body |= {field: value for field, value in given.items() if value is not None}
    call = Call("POST", f"{place}/connectors", body=body, key=key or uuid4().hex)
    return _made(here, (yield from data(here, call)))


def _made(here: Part, told: Any) -> Connector:
    """Read a connector of the Aimable face, which is new and has no documents yet."""
    status = told.get("status")
    return read(
        here,
        Connector,
        {
            **told,
            "id": prefixed("conn", str(told.get("id"))),
            "type": str(told.get("provider_slug")).replace("-", "_"),
            "status": "inactive" if status == "pending" else status,
            "collection": prefixed("col", str(told.get("collection_id"))),
            "config": told.get("scope_config"),
            "enabled": status != "paused",
            "last_sync": told.get("last_synced_at"),
        },
    )


def create_pushed(
    here: Part,
    type: str,
    *,
    name: str | None = None,
    config: Mapping[str, Any] | None = None,
    description: str | None = None,
) -> Steps[Connector]:
    """Make a connector that documents are pushed to, in the default collection.

    The face has no idempotency key: where a connection is cut, this is not tried again, for it may have been
    done.

    Args:
        here: The client.
        type: Any word.
        name: What people call it; the type if absent.
        config: Settings; ``documentSemantics: upsert`` has pushed documents replace older ones of their id.
        description: What it is for.
    """
    given = {
        "connectorType": type,
        "name": name or type,
        "execution": "LOCAL",
        "config": dict(config or {}),
        "description": description,
    }
    told = yield from graphql(here, _CREATE_PUSHED, is_repeatable=False, input=given)
    return (yield from get(here, str(told["createConnector"]["id"])))


def get(here: Part, connector: str) -> Steps[Connector]:
    """Return a connector by its id."""
    return (yield from places.get_connector(here, connector))


def find(here: Part, name: str) -> Steps[Connector]:
    """Return the connector that an id or a name means; capital letters and signs of a name do not matter.

    Args:
        here: The client.
        name: Id or name.

    Raises:
        NotFound: There is none.
        Conflict: There are several; the remedy names their ids.
    """
    listed = yield from list_all(here)
    for means in (_is_id, _is_name, _is_like):
        found = [one for one in listed if means(one, name)]
        if len(found) == 1:
            return found[0]
        if found:
            ids = ", ".join(one.id for one in found)
            raise Conflict(f"{len(found)} connectors are called {name!r}.", remedy=f"Use one of: {ids}.")
    raise NotFound(f"There is no connector called {name!r}.")


def list_all(
    here: Part,
    *,
    type: str | None = None,
    status: str | None = None,
    collection: str | None = None,
    limit: int | None = None,
) -> Steps[list[Connector]]:
    """Return the connectors that the token may see, newest first.

    Args:
        here: The client.
        type: Only those of this provider.
        status: Only those that stand so: ``active``, ``paused``, ``error``, ``inactive``.
        collection: Only those of this collection.
        limit: Most connectors; None for all.
    """
    told = yield from offset_pages(
        here, CONNECTORS, type=type, status=status, collection=collection, limit=limit
    )
    found = [read(here, Connector, one) for one in told]
    here.session.homes.update((one.id, one.collection) for one in found)
    return found


def update(
    here: Part,
    connector: str,
    *,
    name: str | None = None,
    config: Mapping[str, Any] | None = None,
    credentials: Mapping[str, Any] | None = None,
    schedule: str | Keep | None = KEEP,
    enabled: bool | None = None,
) -> Steps[UpdatedConnector]:
    """Change what is given of a connector, and leave the rest.

    Args:
        here: The client.
        connector: Id of the connector.
        name: What people call it.
        config: Settings; they are merged into those that are there, and None takes one away.
        credentials: Replace the old ones, whole.
        schedule: When to sync it; None takes the schedule away.
        enabled: False has it rest.
    """
    given = {"name": name, "config": config, "credentials": credentials, "enabled": enabled}
    body: dict[str, Any] = {field: value for field, value in given.items() if value is not None}
    if not isinstance(schedule, Keep):
        body["schedule"] = schedule
    told = yield from data(here, Call("PUT", connector_path(connector), body=body))
    return read(here, UpdatedConnector, told)


def delete(here: Part, connector: str) -> Steps[None]:
    """Remove a connector with its documents and credentials; its active job is cancelled first.

    Raises:
        Conflict: Its job does not stop in time; try again.
    """
    yield from delete_at(here, connector_path(connector))


def pause(here: Part, connector: str) -> Steps[Connector]:
    """Let a connector rest: neither its schedule nor a person starts it, and no push is taken."""
    return (yield from update(here, connector, enabled=False))


def resume(here: Part, connector: str) -> Steps[Connector]:
    """Let a connector go on."""
    return (yield from update(here, connector, enabled=True))


def sync(
    here: Part,
    connector: str,
    *,
    mode: Mode = "auto",
    file_filter: Sequence[str] | None = None,
    key: str | None = None,
) -> Steps[JobReport]:
    """Ask for a sync, and return its job.

    Args:
        here: The client.
        connector: Id of the connector.
        mode: ``auto`` skips what is unchanged, ``full`` redoes everything, ``incremental`` takes what is
            named or changed.
        file_filter: Exact paths or ids; only these. Such a job waits behind the one that runs.
        key: Makes a repetition of this call, within 24 hours, give the same job; a fresh one if absent.

    Raises:
        Conflict: A job runs already; or the connector rests, is unfinished, or is pushed to.
    """
    place = yield from nested_path(here, connector)
    body: dict[str, Any] = {"sync_mode": mode}
    if file_filter is not None:
        body["file_filter"] = list(file_filter)
    told = yield from data(here, Call("POST", f"{place}/sync", body=body, key=key or uuid4().hex))
    # This answer is of the moment in which the job was taken in, whatever it calls its status.
    accepted = {"jobId": prefixed("job", str(told.get("id"))), "status": "queued"}
    return report_of(here, connector, {**accepted, "mode": mode, "startedAt": told.get("created_at")})


def refresh_permissions(here: Part, connector: str) -> Steps[JobReport]:
    """Ask for a job that reads again who may see the documents of a connector, and return it."""
    told = yield from data(here, Call("POST", f"{connector_path(connector)}/refresh-permissions"))
    return report_of(here, connector, told)


def test(here: Part, connector: str) -> Steps[Trial]:
    """Try whether a connector reaches its source; one that refuses is a result, and no error."""
    told = yield from data(here, Call("POST", f"{connector_path(connector)}/test"))
    return read(here, Trial, told)


def browse(here: Part, connector: str, parent: str | None = None) -> Steps[list[Resource]]:
    """Return what can be chosen at the source of a connector.

    Args:
        here: The client.
        connector: Id of the connector.
        parent: Look below this resource; at the top if absent.

    Raises:
        ServerFailed: The source refuses, or is away.
    """
    place = yield from nested_path(here, connector)
    told = yield from cursor_pages(here, f"{place}/browse", parent_id=parent)
    return [read(here, Resource, one) for one in told]


def cursor(here: Part, connector: str) -> Steps[str | None]:
    """Return the cursor of a connector that is pushed to: what the last push that sent one stored."""
    told = yield from graphql(here, _CURSOR, id=connector)
    if told["connector"] is None:
        raise NotFound("There is no such connector.")
    found = told["connector"]["cursor"]
    return str(found) if found is not None else None


def _is_id(one: Connector, text: str) -> bool:
    return one.id == prefixed("conn", text)


def _is_name(one: Connector, text: str) -> bool:
    return one.name == text


def _is_like(one: Connector, text: str) -> bool:
    return plain(one.name) == plain(text)


def plain(name: str) -> str:
    """Write a name in small letters, digits and hyphens."""
    words = "".join(sign if sign.isalnum() else " " for sign in name.casefold()).split()
    return "-".join(words)
