"""The samples of the Aimable document, its endpoints too, each with what it must get."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cached_property
from typing import Any, ClassVar
from uuid import uuid4

from tests.support.sampling import Answer, Server, differences
from tests.support.seeds import sample

HOST = "https://api-proxy"
CONNECTORS = "/v1/spaces/{space_id}/collections/{collection_id}/connectors"
ONE = f"{CONNECTORS}/{{connector_id}}"
SPACE, COLLECTION = "7a5f3b1d-8e2c-4f1a-b9c0-1d2e3f4a5b6c", "9c8d7e6f-5a4b-3c2d-1e0f-2a3b4c5d6e7f"
CONNECTOR, SYNC = "cc123abc-4d5e-6f7g-8h9i-jklmnopqrst", "sync456def-7g8h-9i1j-2k3l-mnopqrstuvw"
TOKEN = "<your-access-token>"
FOLDER = "1A2B3C4D"


class AimableSamples:
    """The samples, run against a server.

    Attributes:
        runs: What runs each sample, and looks at its answer.
        reasons: Samples that cannot be run by themselves, and why.
    """

    def __init__(self, server: Server) -> None:
        self.server = server

    # -- commands -------------------------------------------------------------------------------

    def creates(self) -> None:
        """201, active at once, without its credentials; the same command again makes no second one."""
        for _ in range(2):
            answer = self.curl("aimable curl 1")
            assert answer.status == 201
            assert differences(shown_in("aimable json 1"), answer.body, free=("principal_id",)) == []
            assert "credential" not in answer.body["data"]
            assert answer.body["data"]["id"] == self.created

    def browses(self) -> None:
        """A list of what lies in the folder that it names."""
        answer = self.curl("aimable curl 2", CONNECTOR)
        assert answer.status == 200
        assert [one["name"] for one in answer.body["data"]] == ["a.txt", "b.txt"]

    def triggers(self) -> None:
        """202, running with nothing read."""
        answer = self.triggered
        assert answer.status == 202
        assert differences(shown_in("aimable json 2"), answer.body) == []
        assert answer.body["data"]["collection_connector_id"] == self.connector

    def monitors(self) -> None:
        """With the three fields that the document names."""
        self.server.ended(self.path(f"{ONE}/sync/{{sync_id}}"))
        answer = self.curl("aimable curl 4", CONNECTOR, SYNC)
        assert answer.status == 200
        sync = answer.body["data"]
        assert (sync["id"], sync["status"], sync["records_fetched"]) == (self.sync, "completed", 2)
        assert sync["completed_at"].endswith("Z")

    def lists_syncs(self) -> None:
        """The array has the sync."""
        sync = self.sync
        answer = self.curl("aimable curl 5", CONNECTOR)
        assert (answer.status, [one["id"] for one in answer.body["data"]]) == (200, [sync])
        assert isinstance(answer.body["data"][0]["metadata"], dict)

    # -- headers and errors ---------------------------------------------------------------------

    def takes_a_bearer(self) -> None:
        """The header opens what is closed without one."""
        self.takes("aimable header 1", {TOKEN: self.server.token})

    def takes_a_key(self) -> None:
        """So does the other header."""
        self.takes("aimable header 2", {"your_api_key_here": self.server.variables["key_admin"]})

    def refuses_a_limit(self) -> None:
        """422 with the place and the reason as shown."""
        answer = self.ask("GET", CONNECTORS, params={"limit": "101"})
        shown = shown_in("aimable json 3")
        assert answer.status == 422
        assert differences(shown, answer.body) == []
        assert len(answer.body["detail"]) == len(shown["detail"])

    # -- endpoints ------------------------------------------------------------------------------

    def serves_connectors(self) -> None:
        """Made, listed, shown, changed, browsed and deleted."""
        made = self.made("to be deleted")
        scope = {"items": [{"path": "c.txt", "text": "the words of c.txt", "version": "1"}]}
        listed = self.ask("GET", CONNECTORS)
        assert listed.status == 200
        assert made in [one["id"] for one in listed.body["data"]]
        assert self.ask("GET", ONE, connector_id=made).body["data"]["id"] == made
        changed = self.ask("PATCH", ONE, {"scope_config": scope}, connector_id=made)
        assert (changed.status, changed.body["data"]["scope_config"]) == (200, scope)
        browsed = self.ask("GET", f"{ONE}/browse", connector_id=made)
        assert (browsed.status, [one["name"] for one in browsed.body["data"]]) == (200, ["c.txt"])
        assert self.ask("DELETE", ONE, connector_id=made).status == 204
        assert self.ask("GET", ONE, connector_id=made).status == 404

    def serves_syncs(self) -> None:
        """Triggered, shown, listed and cancelled."""
        made = self.made("slow", latency_ms=30_000)
        begun = self.ask("POST", f"{ONE}/sync", connector_id=made)
        sync = begun.body["data"]["id"]
        assert begun.status == 202
        shown = self.ask("GET", f"{ONE}/sync/{{sync_id}}", connector_id=made, sync_id=sync)
        assert (shown.status, shown.body["data"]["id"]) == (200, sync)
        listed = self.ask("GET", f"{ONE}/sync", connector_id=made)
        assert (listed.status, [one["id"] for one in listed.body["data"]]) == (200, [sync])
        assert self.ask("POST", f"{ONE}/sync/cancel", connector_id=made).status == 202
        path = self.path(f"{ONE}/sync/{{sync_id}}", connector_id=made, sync_id=sync)
        assert self.server.ended(path)["status"] == "cancelled"

    runs: ClassVar[dict[str, Callable[[Any], None]]] = {
        "aimable curl 1": creates,
        "aimable json 1": creates,
        "aimable curl 2": browses,
        "aimable curl 3": triggers,
        "aimable json 2": triggers,
        "aimable curl 4": monitors,
        "aimable curl 5": lists_syncs,
        "aimable header 1": takes_a_bearer,
        "aimable header 2": takes_a_key,
        "aimable json 3": refuses_a_limit,
        f"aimable GET {CONNECTORS}": serves_connectors,
        f"aimable POST {CONNECTORS}": serves_connectors,
        f"aimable GET {ONE}": serves_connectors,
        f"aimable PATCH {ONE}": serves_connectors,
        f"aimable DELETE {ONE}": serves_connectors,
        f"aimable GET {ONE}/browse": serves_connectors,
        f"aimable GET {ONE}/sync": serves_syncs,
        f"aimable POST {ONE}/sync": serves_syncs,
        f"aimable GET {ONE}/sync/{{sync_id}}": serves_syncs,
        f"aimable POST {ONE}/sync/cancel": serves_syncs,
    }
    reasons: ClassVar[dict[str, str]] = dict.fromkeys(
        (
            "aimable POST /connectors",
            "aimable GET /connectors/{id}/browse",
            "aimable POST /sync",
            "aimable GET /sync/{id}",
        ),
        "The summary shortens an address that is run in full.",
    )

    # -- what they need -------------------------------------------------------------------------

    @cached_property
    def created(self) -> str:
        """The id of the connector that the first command made."""
        return str(self.curl("aimable curl 1").body["data"]["id"])

    @cached_property
    def connector(self) -> str:
        """A connector with two files in the folder that the samples browse."""
        return self.made("browsed")

    @cached_property
    def triggered(self) -> Answer:
        """What the command that triggers a sync got."""
        return self.curl("aimable curl 3", CONNECTOR)

    @property
    def sync(self) -> str:
        """The id of that sync."""
        return str(self.triggered.body["data"]["id"])

    def curl(self, key: str, *ids: str) -> Answer:
        """Run a command with this server, its token, and the ids that it has."""
        words = {HOST: self.server.address, TOKEN: self.server.token}
        words |= {SPACE: self.server.variables["space_id"]}
        words |= {COLLECTION: self.server.variables["collection_id"]}
        words |= {CONNECTOR: self.connector} if CONNECTOR in ids else {}
        words |= {SYNC: self.sync} if SYNC in ids else {}
        return self.server.curl(sample(key).with_words(words))

    def takes(self, key: str, words: dict[str, str]) -> None:
        """Try a header: without one the door is closed."""
        name, _, value = sample(key).with_words(words).partition(": ")
        path = self.path(CONNECTORS)
        assert self.server.ask("GET", path, headers={}).status == 401
        assert self.server.ask("GET", path, headers={name: value}).status == 200

    def made(self, name: str, **config: Any) -> str:
        """Make a connector with contents of our own; return its id."""
        items = [
            {"path": f"{FOLDER}/{file}", "text": f"the words of {file}", "version": "1"}
            for file in ("a.txt", "b.txt")
        ]
        values = {"provider_slug": "fixture", "name": name, "scope_config": {"items": items, **config}}
        answer = self.ask("POST", CONNECTORS, values, headers={"Idempotency-Key": uuid4().hex})
        assert answer.status == 201
        return str(answer.body["data"]["id"])

    def ask(
        self,
        method: str,
        endpoint: str,
        body: Any = None,
        *,
        headers: dict[str, str] | None = None,
        params: Any = None,
        **ids: str,
    ) -> Answer:
        """Call an endpoint of the document, spelled as there, with ids in its gaps."""
        written = "".join(sample(f"aimable {method} {endpoint}").text.removeprefix(method).split())
        given = {"Authorization": f"Bearer {self.server.token}", **(headers or {})}
        return self.server.ask(method, self.path(written, **ids), body, given, params=params)

    def path(self, endpoint: str, **ids: str) -> str:
        """Put ids into the gaps of an endpoint: those of the sync of the samples unless others are given."""
        known = {name: self.server.variables[name] for name in ("space_id", "collection_id")}
        if not ids and "{sync_id}" in endpoint:
            ids = {"connector_id": self.connector, "sync_id": self.sync}
        return endpoint.format(**known, **ids)


def shown_in(key: str) -> Any:
    """Return the JSON of a sample."""
    return json.loads(sample(key).text)
