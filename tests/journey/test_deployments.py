"""The generic deployments of ``prefect.yaml``, deployed as an operator does it, on a real stack."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from catchment.core.runs import Trigger
from catchment.local.pool import POOL
from catchment.local.stack import child_environment
from catchment.services import connectors
from catchment.services.prefect_client import FINAL_STATES, PrefectRefused
from tests.support.journey import SECONDS, Journey, Place
from tests.support.stack import start_run, wait_for, wait_for_state

pytestmark = pytest.mark.prefect

ROOT = Path(__file__).parents[2]
GENERIC = {
    "sync-folder/any-folder": "flows.connectors.sync_folder",
    "sync-connector/any-connector": "flows.connectors.sync_connector",
    "upkeep/upkeep": "flows.upkeep.keep_up",
}
Deployments = dict[str, dict[str, Any]]


def run_command(journey: Journey, *command: str) -> str:
    """Run a command at the repository's root, signed in to the stack; return what it says."""
    state = journey.state
    done = subprocess.run(
        command,
        cwd=ROOT,
        env=child_environment(journey.home, api_url=state.api_url, auth=state.auth),
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def apply(journey: Journey) -> str:
    """Make what deployments need."""
    return run_command(journey, sys.executable, "-m", "deployments.apply")


def deploy_all(journey: Journey) -> None:
    """Deploy everything that prefect.yaml names, with the command that it tells people to use.

    Upkeep is paused at once, or a run of its schedule could take the place of one that a test asks for;
    each deploy makes it active again.
    """
    prefect = Path(sys.executable).with_name("prefect")
    run_command(journey, str(prefect), "deploy", "--all", "--no-prompt")
    upkeep = found(journey)["upkeep/upkeep"]["id"]
    journey.prefect.request("PATCH", f"/deployments/{upkeep}", {"paused": True})


def found(journey: Journey) -> Deployments:
    """Return the generic deployments that exist, by flow and name."""
    return {name: deployment for name in GENERIC if (deployment := _by_name(journey, name)) is not None}


def _by_name(journey: Journey, name: str) -> dict[str, Any] | None:
    try:
        deployment: dict[str, Any] = journey.prefect.request("GET", f"/deployments/name/{name}")
    except PrefectRefused as refused:
        assert refused.status == 404
        return None
    return deployment


@pytest.fixture(scope="module")
def deployed(journey_of_session: Journey) -> Iterator[Deployments]:
    """The generic deployments; at the end they are gone, so that none disturbs other tests."""
    journey_of_session.up()
    apply(journey_of_session)
    deploy_all(journey_of_session)
    try:
        yield found(journey_of_session)
    finally:
        for deployment in found(journey_of_session).values():
            journey_of_session.prefect.request("DELETE", f"/deployments/{deployment['id']}")


class TestDeploy:
    def test_every_generic_deployment_is_accepted_and_names_its_flow_by_module(
        self, deployed: Deployments
    ) -> None:
        """All three stand in our pool, with the schema of their flow; there is nothing to pull."""
        assert deployed.keys() == GENERIC.keys()
        for name, deployment in deployed.items():
            assert deployment["entrypoint"] == GENERIC[name]
            assert deployment["work_pool_name"] == POOL
            assert not deployment["pull_steps"]
            assert deployment["enforce_parameter_schema"]
        schema = deployed["sync-folder/any-folder"]["parameter_openapi_schema"]
        assert schema["properties"]["mode"]["enum"] == ["auto", "full", "incremental"]
        assert schema["properties"]["connector"]["description"]

    def test_no_deployment_records_a_path_of_this_machine(
        self, deployed: Deployments, journey: Journey
    ) -> None:
        """Another machine's worker can carry it out: neither checkout nor home is written down."""
        told = json.dumps(deployed)
        for path in (ROOT, journey.home, Path(sys.prefix), Path.home()):
            assert f"{path}/" not in told
            assert f'"{path}"' not in told
        assert {deployment["path"] for deployment in deployed.values()} <= {None, "", "."}

    def test_deploying_again_changes_no_deployment(self, deployed: Deployments, journey: Journey) -> None:
        """The same ids, and one schedule, not two."""
        apply(journey)
        deploy_all(journey)
        again = found(journey)
        assert {name: one["id"] for name, one in again.items()} == {
            name: one["id"] for name, one in deployed.items()
        }
        assert [len(one["schedules"]) for one in again.values()] == [0, 0, 1]

    def test_the_deployments_of_connectors_are_left_as_they_are(
        self, deployed: Deployments, journey: Journey, place: Place
    ) -> None:
        """Deploying everything takes neither schedule, pause nor parameters from a connector's own."""
        connectors.set_schedule(journey.context, place.connector, "0 3 * * *")
        address = f"/deployments/{place.connector.deployment_id}"
        before = journey.prefect.request("GET", address)
        assert len(before["schedules"]) == 1
        apply(journey)
        deploy_all(journey)
        after = journey.prefect.request("GET", address)
        told = ("id", "name", "entrypoint", "parameters", "schedules", "paused", "tags", "work_pool_name")
        assert {name: after[name] for name in told} == {name: before[name] for name in told}


class TestRun:
    @pytest.mark.parametrize("name", ["sync-folder/any-folder", "sync-connector/any-connector"])
    def test_a_generic_deployment_syncs_the_connector_that_is_named(
        self, deployed: Deployments, journey: Journey, place: Place, name: str
    ) -> None:
        """The worker carries it out, and the run has a row like any other; then the index is exact."""
        place.fill(12)
        flow_run = start_run(journey.prefect, deployed[name]["id"], connector=place.connector.slug)
        wait_for_state(journey.prefect, flow_run, "COMPLETED", seconds=SECONDS)
        (run,) = place.runs()
        assert (run.flow_run_id, run.state, run.indexed) == (flow_run, "SUCCEEDED", 12)
        assert run.trigger == Trigger.MANUAL
        place.check()

    def test_a_name_that_no_connector_has_is_said_in_words(
        self, deployed: Deployments, journey: Journey
    ) -> None:
        """The flow run fails with a sentence that holds the name, and no row is left."""
        deployment = deployed["sync-folder/any-folder"]["id"]
        flow_run = start_run(journey.prefect, deployment, connector="nobody")
        ended = wait_for(
            lambda: (
                run
                if (run := journey.prefect.flow_run(flow_run)) and run["state_type"] in FINAL_STATES
                else None
            ),
            seconds=SECONDS,
            what="the end of the run for nobody",
        )
        assert ended["state_type"] != "COMPLETED"
        assert "nobody" in ended["state"]["message"]

    @pytest.mark.parametrize("wrong", [{"mode": "sideways"}, {"dry_run": "perhaps"}, {"file_filter": 7}])
    def test_a_wrong_parameter_is_refused_at_the_door(
        self, deployed: Deployments, journey: Journey, place: Place, wrong: dict[str, Any]
    ) -> None:
        """Prefect answers 409 when the run is asked for; no process starts."""
        deployment = deployed["sync-folder/any-folder"]["id"]
        with pytest.raises(PrefectRefused) as caught:
            start_run(journey.prefect, deployment, connector=place.connector.slug, **wrong)
        assert caught.value.status == 409
        assert place.runs() == []


class TestUpkeep:
    def test_upkeep_runs_on_the_pool_and_ends_well(self, deployed: Deployments, journey: Journey) -> None:
        """Asked for by hand it completes, and its artifact says what it did."""
        flow_run = start_run(journey.prefect, deployed["upkeep/upkeep"]["id"])
        wait_for_state(journey.prefect, flow_run, "COMPLETED", seconds=SECONDS)
        shown = list(
            journey.prefect.find("/artifacts/filter", artifacts={"flow_run_id": {"any_": [flow_run]}})
        )
        assert [artifact["key"] for artifact in shown] == ["upkeep"]
        assert "dead runs ended" in shown[0]["data"]

    def test_upkeep_makes_again_what_was_deleted_in_prefect(
        self, deployed: Deployments, journey: Journey, place: Place
    ) -> None:
        """A connector whose deployment a person deleted has one again, with its schedule."""
        connectors.set_schedule(journey.context, place.connector, "0 3 * * *")
        lost = place.connector.deployment_id
        journey.prefect.request("DELETE", f"/deployments/{lost}")
        flow_run = start_run(journey.prefect, deployed["upkeep/upkeep"]["id"])
        wait_for_state(journey.prefect, flow_run, "COMPLETED", seconds=SECONDS)
        made = place.connector.deployment_id
        assert made not in (None, lost)
        schedules = journey.prefect.request("GET", f"/deployments/{made}")["schedules"]
        assert [entry["schedule"]["cron"] for entry in schedules] == ["0 3 * * *"]
        place.fill(3)
        assert place.sync().indexed == 3
