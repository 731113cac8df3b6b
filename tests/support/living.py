"""Things that exist, for requests that are made up: most of them should find what they name.

Who makes requests up from a document of the API knows what ids look like, and none that means something.
`Living.lead` puts ids of things that are there in their place, and values that work into bodies. What a
request used up, such as a connector that it removed, is made anew for the next one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from uuid import uuid4
from zlib import crc32

from catchment.services import oauth_clients
from tests.support.faces import Served

Body = dict[str, Any]
CONNECTORS = "/v1/spaces/{space_id}/collections/{collection_id}/connectors"
FIXTURE = {"items": [{"path": f"notes/{n}.txt", "text": f"words of {n}", "version": "1"} for n in "abcd"]}
SIGN_IN = "google-drive"
_LEFT_ALONE = 4
"""One request of so many keeps what was made up for it."""
_USES_UP = re.compile(r"DELETE .*|.*/(sync|cancel|refresh-permissions|callback[^ ]*)")


class Living:
    """A tenant in which something is going on. Its workers rest: what is started from now on stays queued."""

    def __init__(self, served: Served) -> None:
        self._served = served
        self._fresh: dict[str, str] = {}
        oauth_clients.keep(served.context, SIGN_IN, {"client_id": "us", "client_secret": "ours"})
        self.space = served.variables["space_id"]
        self.collection = served.variables["collection_id"]
        self._home = CONNECTORS.format(space_id=self.space, collection_id=self.collection)
        self.synced = self.connector()
        served.wire.has_worker = True
        self.run = self._made(f"{self._home}/{self.synced}/sync")
        served.wire.rest()
        served.wire.has_worker = False
        self.pushed = self._local()
        listed = self._ask("GET", f"/api/v1/connectors/{self.synced}/documents").json()
        self.read = listed["data"][0]["id"]

    def lead(self, case: Any) -> None:
        """Let a request that was made up find something, unless it is one of those that are left alone."""
        if crc32(repr(case).encode("utf-8", "replace")) % _LEFT_ALONE == 0:
            return
        way = f"{case.operation.method.upper()} {case.path}"
        wrong = {str(place.value) for place, part in case.meta.components.items() if part.mode.is_negative}
        for place, values in (("path", case.path_parameters), ("query", case.query)):
            for name in list(values) if place not in wrong else ():
                meant = self.means(name, way, values[name])
                if meant is None:
                    del values[name]
                else:
                    values[name] = meant
        if "/callback" in way and "query" not in wrong:
            # With a code in its place, the vendor would be asked for a token over the network.
            case.query.setdefault("error", "access_denied")
        if "body" not in wrong and isinstance(case.body, dict):
            case.body = self.working(way, case.body)

    def working(self, way: str, body: Body) -> Body:
        """Make of a body that has the right shape one that can be carried out."""
        return _WORKING[way](self, body) if way in _WORKING else body

    def met(self, case: Any, status: int) -> None:
        """Take note of an answer: what it used up is not named again."""
        if status < 400 and _USES_UP.fullmatch(f"{case.method} {case.path}"):
            self.forget()

    def forget(self) -> None:
        """Name nothing again that requests may have changed."""
        self._fresh.clear()

    def means(self, name: str, way: str, made_up: Any = None) -> Any:
        """Return what a parameter of this name means on a way, or what was made up for it."""
        for names, ways, meant in _MEANINGS:
            if re.fullmatch(names, name) and re.fullmatch(ways, way):
                return meant(self)
        return made_up

    def fresh(self, make: Callable[[Living], str]) -> str:
        """Return what this makes, the same one until it was used up."""
        name = make.__name__
        if name not in self._fresh:
            self._fresh[name] = make(self)
        return self._fresh[name]

    def connector(self) -> str:
        """Make a connector that can be synced."""
        return self._made(self._home, {"provider_slug": "fixture", "scope_config": FIXTURE})

    def busy(self) -> str:
        """Make a connector with a sync that waits."""
        made = self.connector()
        self._made(f"{self._home}/{made}/sync")
        return made

    def document(self) -> str:
        """Push a document, and return its id."""
        body = {"connector_id": self.pushed, "documents": [{"external_id": str(uuid4()), "text": "words"}]}
        self._ask("POST", "/api/sync/documents", json=body)
        listed = self._ask("GET", f"/api/v1/connectors/{self.pushed}/documents?limit=1").json()
        return str(listed["data"][0]["id"])

    def place(self) -> str:
        """Make a collection without connectors."""
        return self._made(f"/v1/spaces/{self.space}/collections", {"name": str(uuid4())})

    def token(self) -> str:
        """Make a token."""
        return self._made("/api/v1/tokens", {"name": "passing"})

    def token_with_secret(self) -> tuple[str, str]:
        """Make a token, and return its secret and its id."""
        made = self._ask("POST", "/api/v1/tokens", json={"name": "passing"}).json()["data"]
        return str(made["token"]), str(made["id"])

    def member(self) -> str:
        """Make somebody with a role in the space, and return its id."""
        body = {"name": "passing", "spaces": {self.space: "viewer"}}
        return str(self._ask("POST", "/api/v1/tokens", json=body).json()["data"]["principal"]["id"])

    def state(self) -> str:
        """Begin a sign-in, and return the state that its end must bring."""
        body = {"provider": SIGN_IN, "collection": self.collection}
        return str(self._ask("POST", "/api/v1/oauth/init", json=body).json()["data"]["state"])

    def file(self) -> str:
        """Return the id of a file that the source holds."""
        listed = self._ask("GET", f"/api/v1/connectors/{self.synced}/files").json()
        return str(listed["data"][0]["id"])

    def tenant(self) -> str:
        """Return the id of the tenant."""
        return str(self._ask("GET", "/v1/me").json()["data"]["tenant_id"])

    def query(self, text: str) -> Any:
        """Send a GraphQL document, and return the answer."""
        signed = {"Authorization": f"Bearer {self._served.variables['tok_admin']}"}
        return self._served.client.post("/graphql", json={"query": text}, headers=signed)

    def _local(self) -> str:
        query = "mutation M($input: CreateConnectorInput!) { createConnector(input: $input) { id } }"
        made = {"connectorType": "notes", "name": "Notes", "execution": "LOCAL", "config": {}}
        answer = self._ask("POST", "/graphql", json={"query": query, "variables": {"input": made}})
        return str(answer.json()["data"]["createConnector"]["id"])

    def _made(self, path: str, body: Body | None = None) -> str:
        return str(self._ask("POST", path, json=body).json()["data"]["id"])

    def _ask(self, method: str, path: str, **more: Any) -> Any:
        signed = f"Bearer {self._served.variables['tok_admin']}"
        headers = {"Authorization": signed, "Idempotency-Key": str(uuid4())}
        answer = self._served.client.request(method, path, headers=headers, **more)
        assert answer.status_code < 300, answer.text
        return answer


_MEANINGS: Sequence[tuple[str, str, Callable[[Living], str | None]]] = (
    ("space_id", ".*", lambda living: living.space),
    (
        "collection_id",
        r"(PUT|PATCH|DELETE) .*/collections/\{\w+\}",
        lambda living: living.fresh(Living.place),
    ),
    ("collection(_id)?", ".*", lambda living: living.collection),
    ("job_id|sync_id", ".*", lambda living: living.run),
    ("document_id", "DELETE .*", lambda living: living.fresh(Living.document)),
    ("document_id", ".*", lambda living: living.read),
    ("connector_id|tenant_id|token", ".*/authorize", lambda _: None),
    ("connector_id", "DELETE .*/documents/.*", lambda living: living.pushed),
    ("connector_id", "GET .*", lambda living: living.synced),
    ("connector_id", ".*/cancel", lambda living: living.fresh(Living.busy)),
    ("connector_id", ".*", lambda living: living.fresh(Living.connector)),
    ("principal_id", ".*", lambda living: living.fresh(Living.member)),
    ("role_key", ".*", lambda _: "space.viewer"),
    ("token_id", ".*", lambda living: living.fresh(Living.token)),
    ("provider|provider_slug", ".*", lambda _: SIGN_IN),
    ("redirect_uri", ".*", lambda _: "https://app.example/signed-in"),
    ("error", ".*/callback.*", lambda _: "access_denied"),
    ("state", ".*", lambda living: living.fresh(Living.state)),
)
"""What a parameter of this name means on these ways; the first that fits decides, None takes it away."""


def _fixture(living: Living, body: Body) -> Body:
    return body | {"type": "fixture", "config": FIXTURE, "credentials": None}


def _connector(living: Living, body: Body) -> Body:
    return _fixture(living, body) | {"collection": living.collection, "schedule": "daily"}


def _scope(living: Living, body: Body) -> Body:
    return body | {"provider_slug": "fixture", "scope_config": FIXTURE, "credential": None, "schedule": None}


def _search(living: Living, body: Body) -> Body:
    led = {**body, "collections": [living.collection]} if body.get("collections") else dict(body)
    if body.get("filters"):
        led["filters"] = body["filters"] | {"sources": [living.synced], "dateRange": None}
    if len(body.get("query", "")) % 2:
        led["query"] = "words"  # which every document has: what is shown of hits is looked at, too
    return led


def _push(living: Living, body: Body) -> Body:
    led = {name: value for name, value in body.items() if name != "cursor_before"}
    return led | {"connector_id": living.pushed}


_WORKING: Mapping[str, Callable[[Living, Body], Body]] = {
    "POST /api/sync/documents": _push,
    "POST /graphql": lambda _, body: body | {"query": "{ connectors { id name } }", "operationName": None},
    "POST /api/v1/tokens": lambda living, body: body | {"role": "editor", "spaces": {living.space: "viewer"}},
    "POST /api/v1/connectors": _connector,
    "POST /api/v1/connectors/test": _fixture,
    "PUT /api/v1/connectors/{connector_id}": _connector,
    "PUT /api/v1/collections/{collection_id}": lambda _, body: body | {"embeddingModel": None},
    "POST /api/v1/oauth/init": lambda living, body: {
        **body,
        "provider": SIGN_IN,
        "collection": living.collection,
        "connectorId": None,
        "config": {},
        "redirectUri": None,
    },
    "POST /api/v1/search": _search,
    "POST /api/v1/search/faceted": _search,
    "POST /v1/spaces/{space_id}/members/{principal_id}/roles": lambda _, body: (
        body or {"role_key": "space.viewer"}
    ),
    f"POST {CONNECTORS}": _scope,
    f"PATCH {CONNECTORS}/{{connector_id}}": _scope,
}
"""How a body that has the right shape is made one that can be carried out."""
