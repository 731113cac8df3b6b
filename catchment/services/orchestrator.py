"""Connectors and runs as Prefect sees them: one deployment per connector, one flow run per run.

This and `catchment.services.prefect_client` are all that talks to the Prefect API. Everything made here
carries the tag of this store, and nothing without that tag is ever touched.
"""

from __future__ import annotations

from typing import Any

from catchment.core.parameters import RunParameters
from catchment.core.runs import RunKind
from catchment.kit import registry
from catchment.services.blocks import BlockCursorStore, PrefectBlocks, credentials_type
from catchment.services.prefect_client import PrefectClient, PrefectRefused
from catchment.services.schedules import prefect_schedule
from catchment.store.rows import ConnectorRow, RunRow

POOL = "catchment"
RUN_TAG = "catchment-run:"
GENERAL_TAG = "catchment-general"
"""Carried by the deployment that belongs to no one connector."""


def store_tag(store_id: str) -> str:
    """Return the tag of everything in Prefect that belongs to a store."""
    return f"catchment-store:{store_id}"


def deployment_name(slug: str, connector_id: str) -> str:
    """Return the name of a connector's deployment: readable, unique, and fixed at creation."""
    return f"{slug}-{connector_id[-8:]}"


def flow_name(provider: str) -> str:
    """Return the name of the flow that syncs a provider, by its entry point and without its import."""
    function = registry.flow_entrypoint(provider).rpartition(".")[2]
    return function.replace("_", "-")


def parameter_schema() -> dict[str, Any]:
    """Return the schema of a sync flow's parameters, as Prefect itself derives it from the flow."""
    schema = RunParameters.model_json_schema()
    properties = {}
    for position, (name, described) in enumerate(schema["properties"].items()):
        shown = {"title": name, "position": position}
        properties[name] = {**{k: v for k, v in described.items() if k != "title"}, **shown}
    return {
        "title": "Parameters",
        "type": "object",
        "properties": properties,
        "required": schema["required"],
        "definitions": {},
    }


class Orchestrator:
    """Everything that Catchment asks of Prefect about connectors and runs."""

    def __init__(self, client: PrefectClient, *, store_id: str) -> None:
        self.client = client
        self.store_id = store_id
        self.blocks = PrefectBlocks(client)
        self.cursors = BlockCursorStore(client)

    # -- deployments ----------------------------------------------------------------------------

    def deploy(self, connector: ConnectorRow) -> str:
        """Create or put right the deployment of a connector, and return its id.

        Raises:
            Unavailable: Prefect is away.
        """
        flow_id = self.client.request("POST", "/flows/", {"name": flow_name(connector.provider)})["id"]
        made = self.client.request(
            "POST",
            "/deployments/",
            {
                "flow_id": flow_id,
                "name": connector.deployment_name,
                **self.identity_of(connector),
                "parameter_openapi_schema": parameter_schema(),
                "enforce_parameter_schema": True,
                "description": f"Syncs {connector.name}.",
                # Creating again without schedules would remove them.
                "schedules": self._schedules(connector),
                "paused": connector.paused,
            },
        )
        return str(made["id"])

    def deploy_general(self) -> str:
        """Create or put right the one deployment that takes any connector as a parameter; return its id.

        It runs what needs no vendor: uploads, pushed texts, recordings, permissions.

        Raises:
            Unavailable: Prefect is away.
        """
        entrypoint = registry.FALLBACK_FLOW.replace(":", ".")
        name = entrypoint.rpartition(".")[2].replace("_", "-")
        flow_id = self.client.request("POST", "/flows/", {"name": name})["id"]
        made = self.client.request(
            "POST",
            "/deployments/",
            {
                "flow_id": flow_id,
                "name": f"handed-in-{self.store_id[-8:]}",
                "entrypoint": entrypoint,
                "work_pool_name": POOL,
                "tags": ["catchment", store_tag(self.store_id), GENERAL_TAG],
                "parameter_openapi_schema": parameter_schema(),
                "enforce_parameter_schema": True,
                "description": "Reads what was uploaded or pushed to any connector of this store.",
            },
        )
        return str(made["id"])

    def identity_of(self, connector: ConnectorRow) -> dict[str, Any]:
        """Return what makes a deployment that of a connector, whatever people change about it."""
        return {
            "entrypoint": registry.flow_entrypoint(connector.provider),
            "work_pool_name": POOL,
            "parameters": {"connector": connector.deployment_name},
            "tags": self._tags(connector),
        }

    def put_right(self, connector: ConnectorRow, found: dict[str, Any]) -> None:
        """Give a deployment back its identity; what people added to it, tags too, stays."""
        identity = self.identity_of(connector)
        tags = list(dict.fromkeys([*found["tags"], *identity["tags"]]))
        self.client.request("PATCH", f"/deployments/{found['id']}", {**identity, "tags": tags})

    def schedule(self, connector: ConnectorRow) -> None:
        """Send the schedule and the pause of a connector to its deployment."""
        body = {"schedules": self._schedules(connector), "paused": connector.paused}
        self.client.request("PATCH", f"/deployments/{connector.deployment_id}", body)

    def deployment(self, connector: ConnectorRow) -> dict[str, Any] | None:
        """Return a connector's deployment as Prefect has it; None when it is gone."""
        if connector.deployment_id is None:
            return None
        try:
            found: dict[str, Any] = self.client.request("GET", f"/deployments/{connector.deployment_id}")
        except PrefectRefused as refused:
            if refused.status == 404:
                return None
            raise
        return found

    def remove(self, connector: ConnectorRow) -> None:
        """Erase a connector's deployment, cursor and credentials; what is gone already is no error."""
        if connector.deployment_id is not None:
            try:
                self.client.request("DELETE", f"/deployments/{connector.deployment_id}")
            except PrefectRefused as refused:
                if refused.status != 404:
                    raise
        self.cursors.remove(connector.id)
        if connector.credentials_block is not None:
            self.blocks.remove(credentials_type(connector.provider), connector.credentials_block)

    def _tags(self, connector: ConnectorRow) -> list[str]:
        return ["catchment", store_tag(self.store_id), f"connector:{connector.slug}"]

    def _schedules(self, connector: ConnectorRow) -> list[dict[str, Any]]:
        if connector.schedule is None:
            return []
        return [{"schedule": prefect_schedule(connector.schedule), "active": not connector.paused}]

    # -- credentials ----------------------------------------------------------------------------

    def read_credentials(self, connector: ConnectorRow) -> dict[str, Any] | None:
        """Return a connector's credentials in clear, or None when it has none."""
        if connector.credentials_block is None:
            return None
        return self.blocks.read(credentials_type(connector.provider), connector.credentials_block)

    def write_credentials(self, connector: ConnectorRow, values: dict[str, Any]) -> str:
        """Replace a connector's credentials, whole, and return the name of their block."""
        name = f"catchment-{connector.id}"
        self.blocks.write(credentials_type(connector.provider), name, values)
        return name

    # -- runs -----------------------------------------------------------------------------------

    def start(self, run: RunRow, connector: ConnectorRow, deployment_id: str | None = None) -> str:
        """Create the flow run of a run row, and return its id; asking twice gives the same one.

        It is made of the connector's own deployment unless another is named.

        The names to sync stay on the row: Prefect takes no parameters above half a megabyte.

        Raises:
            Unavailable: Prefect is away; nothing was created.
        """
        made = self.client.request(
            "POST",
            f"/deployments/{deployment_id or connector.deployment_id}/create_flow_run",
            {
                "name": f"{connector.slug} {run.mode if run.kind == RunKind.SYNC else run.kind}",
                "parameters": {
                    "connector": connector.deployment_name,
                    "mode": run.mode,
                    "allow_mass_delete": run.allow_mass_delete,
                    "dry_run": run.dry_run,
                },
                "tags": ["catchment", store_tag(self.store_id), f"{RUN_TAG}{run.id}"],
                "idempotency_key": run.id,
                "state": {"type": "SCHEDULED", "name": "Scheduled"},
            },
        )
        return str(made["id"])

    def flow_run_by_tag(self, run_id: str) -> dict[str, Any] | None:
        """Find the flow run that was created for a run row whose answer was lost."""
        found = self.client.find("/flow_runs/filter", flow_runs={"tags": {"all_": [f"{RUN_TAG}{run_id}"]}})
        return next(iter(found), None)

    def cancel(self, flow_run_id: str) -> None:
        """Ask Prefect to cancel a flow run; a run that is final or gone already is no error."""
        try:
            self.client.set_state(flow_run_id, "CANCELLING", message="Cancelled through Catchment.")
        except PrefectRefused as refused:
            if refused.status != 404:
                raise
