"""Schedules and flow runs that begin in Prefect, and what people change there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest

from catchment.core.runs import RunState
from catchment.services import connectors, deployments
from catchment.services.orchestrator import flow_name
from catchment.services.prefect_client import PrefectClient
from catchment.store.rows import RunRow
from tests.support.journey import Journey, Place, counts
from tests.support.stack import deploy, start_run, wait_for, wait_for_state

pytestmark = pytest.mark.prefect


def planned(journey: Journey, place: Place) -> list[dict[str, Any]]:
    """Return the flow runs that Prefect has planned for a connector."""
    deployment = place.connector.deployment_id
    return [
        run for run in journey.prefect.flow_runs(states=["SCHEDULED"]) if run["deployment_id"] == deployment
    ]


def deployment_of(journey: Journey, place: Place) -> dict[str, Any]:
    """Return the deployment of a connector as Prefect has it."""
    found = connectors.orchestrator(journey.context).deployment(place.connector)
    assert found is not None
    return found


@pytest.fixture(scope="module")
def every_minute(journey_of_session: Journey, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A folder with a schedule of a minute: its first run comes while the tests between are at work."""
    journey_of_session.up()
    place = journey_of_session.place(tmp_path_factory.mktemp("minute") / "docs")
    place.fill(10)
    connectors.set_schedule(journey_of_session.context, place.connector, "1m")
    yield place
    journey_of_session.up()
    place.retire()


class TestSchedule:
    def test_of_a_minute_plans_its_runs(self, journey: Journey, every_minute: Place) -> None:
        """Ten seconds later they are there."""
        wait_for(lambda: planned(journey, every_minute), seconds=10, what="planned runs")

    def test_a_schedule_set_in_prefect_is_adopted(self, journey: Journey, place: Place) -> None:
        """Prefect differs from what was last sent: a person edited it there, and the row follows."""
        connectors.set_schedule(journey.context, place.connector, "6h")
        path = f"/deployments/{place.connector.deployment_id}"
        cron = {"schedule": {"cron": "0 6 * * 1", "timezone": "UTC"}, "active": True}
        journey.prefect.request("PATCH", path, {"schedules": [cron]})
        said = deployments.reconcile(journey.context)
        assert any(place.connector.slug in sentence for sentence in said)
        assert place.connector.schedule == "0 6 * * 1"
        assert place.connector.slug not in " ".join(deployments.reconcile(journey.context))
        assert deployment_of(journey, place)["schedules"][0]["schedule"]["cron"] == "0 6 * * 1"

    def test_a_pause_set_in_prefect_is_adopted(self, journey: Journey, place: Place) -> None:
        """The same for the switch on the deployment's page, both ways."""
        path = f"/deployments/{place.connector.deployment_id}"
        journey.prefect.request("PATCH", path, {"paused": True})
        deployments.reconcile(journey.context)
        assert (place.connector.paused, place.connector.status) == (True, "PAUSED")
        journey.prefect.request("PATCH", path, {"paused": False})
        deployments.reconcile(journey.context)
        assert (place.connector.paused, place.connector.status) == (False, "ACTIVE")


def _as_made(prefect: PrefectClient, deployment_id: str) -> dict[str, Any]:
    """Return what people decide about a deployment; a worker's polls change its status meanwhile."""
    found = prefect.request("GET", f"/deployments/{deployment_id}")
    by_itself = ("status", "last_polled", "updated", "updated_by")
    return {name: value for name, value in found.items() if name not in by_itself}


class TestDeployment:
    def test_a_deployment_that_was_deleted_is_made_again(self, journey: Journey, place: Place) -> None:
        """By reconcile, with its schedule; and by a trigger that finds it missing."""
        place.fill(3)
        connectors.set_schedule(journey.context, place.connector, "6h")
        first = place.connector.deployment_id
        journey.prefect.request("DELETE", f"/deployments/{first}")
        deployments.reconcile(journey.context)
        second = place.connector.deployment_id
        assert second != first
        assert deployment_of(journey, place)["schedules"][0]["schedule"]["interval"] == 6 * 3600
        journey.prefect.request("DELETE", f"/deployments/{second}")
        place.sync()
        assert place.connector.deployment_id not in (first, second)
        place.check()

    def test_an_identity_that_was_edited_is_put_right(self, journey: Journey, place: Place) -> None:
        """The parameter that names the connector is ours; a tag that a person added stays."""
        path = f"/deployments/{place.connector.deployment_id}"
        tags = [*deployment_of(journey, place)["tags"], "mine"]
        journey.prefect.request("PATCH", path, {"parameters": {"connector": "other"}, "tags": tags})
        deployments.reconcile(journey.context)
        found = deployment_of(journey, place)
        assert found["parameters"] == {"connector": place.connector.deployment_name}
        assert "mine" in found["tags"]

    def test_foreign_deployments_are_never_touched(self, journey: Journey, place: Place) -> None:
        """Also those of our own flows, and those of another store in the same Prefect."""
        prefect = journey.prefect
        flow = prefect.request("POST", "/flows/", {"name": flow_name("folder")})["id"]
        other_store = {
            "flow_id": flow,
            "name": f"foreign-{uuid4().hex[:8]}",
            "entrypoint": "flows.connectors.sync_folder",
            "tags": ["catchment", f"catchment-store:{uuid4().hex}"],
        }
        foreign = [deploy(prefect, "quick"), str(prefect.request("POST", "/deployments/", other_store)["id"])]
        before = [_as_made(prefect, each) for each in foreign]
        deployments.reconcile(journey.context)
        assert [_as_made(prefect, each) for each in foreign] == before
        for each in foreign:
            prefect.request("DELETE", f"/deployments/{each}")

    def test_a_deployment_of_ours_without_a_connector_goes(self, journey: Journey, place: Place) -> None:
        """What a crash in the middle of making a connector left behind is cleaned up."""
        body = {
            "flow_id": deployment_of(journey, place)["flow_id"],
            "name": f"stray-{uuid4().hex[:8]}",
            "entrypoint": "flows.connectors.sync_folder",
            "tags": deployment_of(journey, place)["tags"],
        }
        stray = journey.prefect.request("POST", "/deployments/", body)["id"]
        deployments.reconcile(journey.context)
        mine = {found["id"] for found in journey.prefect.find("/deployments/filter")}
        assert stray not in mine
        assert place.connector.deployment_id in mine


class TestBegunInPrefect:
    def test_a_flow_run_without_a_row_gets_one_at_its_claim(self, journey: Journey, place: Place) -> None:
        """With the parameters of the form; the names are copied to the row."""
        place.fill(6)
        place.sync()
        place.write("f000/f00001.txt")
        deployment = str(place.connector.deployment_id)
        flow_run = start_run(journey.prefect, deployment, mode="incremental", file_filter=["f000/f00001.txt"])
        wait_for_state(journey.prefect, flow_run, "COMPLETED", seconds=60)
        row = place.runs()[0]
        assert (row.flow_run_id, row.mode, row.trigger) == (flow_run, "incremental", "manual")
        assert row.filter == ["f000/f00001.txt"]
        assert counts(row) == {"collected": 1, "fetched": 1, "parsed": 1, "indexed": 1}
        place.check()

    def test_a_retry_in_prefect_is_a_new_run_of_the_same_flow_run(
        self, journey: Journey, place: Place
    ) -> None:
        """The button Retry of a failed run: a second row, and the first stays as it ended."""
        place.fill(6)
        place.folder.rename(place.folder.with_name("aside"))
        failed = place.sync(expect="FAILED")
        assert journey.flow_run_ends(failed)["state_type"] == "FAILED"
        place.folder.with_name("aside").rename(place.folder)
        assert failed.flow_run_id is not None
        journey.prefect.set_state(failed.flow_run_id, "SCHEDULED", name="AwaitingRetry", force=True)

        def retried() -> RunRow | None:
            newest = place.runs()[0]
            return newest if newest.id != failed.id and RunState(newest.state).final else None

        second = wait_for(retried, seconds=60, what="the retry")
        assert (second.state, second.flow_run_id) == (RunState.SUCCEEDED, failed.flow_run_id)
        assert second.flow_run_count == (failed.flow_run_count or 0) + 1
        assert journey.row(failed.id) == failed
        place.check()


class TestTheMinuteIsOver:
    """Stands last, so that nobody waits for it."""

    def test_and_the_source_was_synced(self, journey: Journey, every_minute: Place) -> None:
        """The first of the planned runs comes and syncs by itself; without a schedule no other follows."""

        def scheduled() -> RunRow | None:
            runs = every_minute.runs()
            return runs[-1] if runs and RunState(runs[-1].state).final else None

        run = wait_for(scheduled, seconds=100, what="a run of the schedule")
        assert (run.trigger, run.state, run.indexed) == ("schedule", RunState.SUCCEEDED, 10)
        connectors.set_schedule(journey.context, every_minute.connector, None)
        wait_for(lambda: not planned(journey, every_minute), seconds=10, what="the end of planned runs")
        every_minute.check()
