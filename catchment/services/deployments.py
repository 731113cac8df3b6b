"""Keeping Prefect's deployments in step with the connectors, and adopting what people changed there."""

from __future__ import annotations

from typing import Any

from catchment.kit.registry import PUSHED
from catchment.services.connectors import all_connectors, orchestrator
from catchment.services.context import Context
from catchment.services.orchestrator import GENERAL_TAG, store_tag
from catchment.store import connectors
from catchment.store.engine import writing
from catchment.store.rows import ConnectorRow


def reconcile(context: Context) -> list[str]:
    """Compare every connector with its deployment; return what was changed, in sentences.

    A deployment that is gone is made again, and its identity is put right. A schedule or a pause that
    a person changed in Prefect is adopted. Deployments of this store whose connector is gone go too.
    """
    said: list[str] = []
    for connector in all_connectors(context):
        if connector.deployment_name is not None and connector.execution != PUSHED:
            said.extend(_reconcile_one(context, connector))
    said.extend(_remove_strays(context))
    return said


def _reconcile_one(context: Context, connector: ConnectorRow) -> list[str]:
    way = orchestrator(context)
    found = way.deployment(connector)
    if found is None:
        _store(context, connector, deployment_id=way.deploy(connector))
        return [f"The deployment of {connector.slug} was made again."]
    said = []
    if found["paused"] != connector.paused:
        _store(context, connector, paused=found["paused"], status="PAUSED" if found["paused"] else "ACTIVE")
        said.append(f"{connector.slug} is {'paused' if found['paused'] else 'active'}, as set in Prefect.")
    edited = _edited_schedule(found["schedules"])
    if edited != connector.schedule and not _same_schedule(connector, found["schedules"]):
        _store(context, connector, schedule=edited)
        said.append(f"The schedule of {connector.slug} is now {edited or 'off'}, as set in Prefect.")
    wanted = way.identity_of(connector)
    if any(found[name] != value for name, value in wanted.items() if name != "tags") or not set(
        wanted["tags"]
    ) <= set(found["tags"]):
        way.put_right(connector, found)
        said.append(f"The deployment of {connector.slug} was put right.")
    return said


def _store(context: Context, connector: ConnectorRow, **values: Any) -> None:
    with writing(context.engine) as connection:
        connectors.change(connection, connector.pk, updated_at=context.clock.now(), **values)


def _same_schedule(connector: ConnectorRow, schedules: list[dict[str, Any]]) -> bool:
    from catchment.services.schedules import prefect_schedule

    if connector.schedule is None:
        return not schedules
    wanted = prefect_schedule(connector.schedule)
    return len(schedules) == 1 and all(schedules[0]["schedule"].get(k) == v for k, v in wanted.items())


def _edited_schedule(schedules: list[dict[str, Any]]) -> str | None:
    """Write the first schedule of a deployment as we write schedules; None when there is none."""
    for entry in schedules:
        schedule = entry["schedule"]
        if "cron" in schedule:
            return str(schedule["cron"])
        if "interval" in schedule:
            minutes = max(1, round(float(schedule["interval"]) / 60))
            return f"{minutes}m"
    return None


def _remove_strays(context: Context) -> list[str]:
    way = orchestrator(context)
    living = {row.deployment_id for row in all_connectors(context)}
    said = []
    found = way.client.find("/deployments/filter", deployments={"tags": {"all_": [store_tag(way.store_id)]}})
    for deployment in list(found):
        if deployment["id"] not in living and GENERAL_TAG not in deployment["tags"]:
            way.client.request("DELETE", f"/deployments/{deployment['id']}")
            said.append(f"The deployment {deployment['name']} had no connector and was removed.")
    return said
