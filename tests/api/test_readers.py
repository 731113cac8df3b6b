"""What a source shows to some of its people only: seen by whom the operator maps to them, by no role."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from catchment.core.errors import SourceDown, UsageError
from catchment.core.items import Item
from catchment.kit import registry
from catchment.kit.connector import AccessEntry, AccessList, Acl
from catchment.services import access, connectors, documents, permissions, readers, syncs
from catchment.store.rows import ConnectorRow
from tests.support.faces import Served, served
from tests.support.scripted import SLUG, World, provider

LISTS = {
    "doc000": AccessList((AccessEntry("user", "Ann@Example.org"),)),
    "doc001": AccessList((AccessEntry("group", "engineers"),)),
    "doc002": AccessList((AccessEntry("team", "engineers"), AccessEntry("user", "carl@other.org"))),
    "doc003": AccessList((AccessEntry("domain", "example.org"),)),
    "doc004": AccessList(public=True),
    "doc005": AccessList(),
}
PUBLIC = {"doc004"}
QUERY = """{
    search(query: "text", limit: 50) { results { document { externalId } } }
    documents(limit: 50) { nodes { externalId } totalCount }
}"""


@dataclass
class Guarded:
    """A source with access lists, synced, and those who ask for its documents."""

    face: Served
    connector: ConnectorRow
    lists: dict[str, AccessList]
    ids: dict[str, str] = field(default_factory=dict)
    error: Exception | None = None
    tokens: dict[str, access.IssuedToken] = field(default_factory=dict)

    def token(self, name: str, **roles: Any) -> access.IssuedToken:
        """Make a token that may look into the space."""
        self.tokens[name] = access.add_token(self.face.context, name, role="viewer", **roles)
        return self.tokens[name]

    def map(self, name: str, **subjects: Sequence[str]) -> None:
        """Say as whom a token reads."""
        readers.read_as(self.face.context, self.tokens[name].token, readers.named(**subjects))

    def refresh(self) -> str:
        """Read the access lists again; return how the run ended."""
        row = permissions.refresh(self.face.context, self.connector)
        self.face.wire.rest()
        return syncs.show(self.face.context, row.id).state

    def ask(self, secret: str, method: str, path: str, body: Any = None) -> Any:
        """Send a request."""
        headers = {"Authorization": f"Bearer {secret}"}
        return self.face.client.request(method, path, json=body, headers=headers)

    def seen(self, name: str) -> set[str]:
        """Return the keys of what somebody sees; every way to it must show the same."""
        secret = self.tokens[name].secret if name in self.tokens else self.face.variables[f"tok_{name}"]
        here = f"/api/v1/connectors/conn_{self.connector.id}"

        def data(method: str, path: str, body: Any = None) -> Any:
            answer = self.ask(secret, method, path, body)
            assert answer.status_code == 200, answer.text
            return answer.json()["data"]

        found = data("POST", "/api/v1/search", {"query": "text", "limit": 50})
        listed = data("GET", f"{here}/documents")
        trove = data("POST", "/graphql", {"query": QUERY})
        ways = [
            [one["path"] for one in found["results"]],
            [one["path"] for one in listed],
            [one["path"] for one in data("GET", f"{here}/files")],
            [one["document"]["externalId"] for one in trove["search"]["results"]],
            [one["externalId"] for one in trove["documents"]["nodes"]],
        ]
        keys = set(ways[0])
        assert [set(way) for way in ways] == [keys] * len(ways)
        assert found["total"] == trove["documents"]["totalCount"] == len(keys)
        by_id = {one: self.ask(secret, "GET", f"/api/v1/documents/{one}").status_code for one in self.ids}
        assert {self.ids[one] for one, status in by_id.items() if status == 200} == keys
        assert set(by_id.values()) <= {200, 404}
        return keys


@pytest.fixture
def guarded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Guarded]:
    world = World()
    world.fill(len(LISTS))
    made = provider(world)
    real = registry.provider
    monkeypatch.setattr(registry, "provider", lambda slug: made if slug == SLUG else real(slug))
    with served(tmp_path, monkeypatch) as face:
        made.acl = Acl.SOURCE
        row = connectors.add(face.context, SLUG, {})
        source = Guarded(face, row, dict(LISTS))

        def lists(_self: object, items: Sequence[Item]) -> dict[str, AccessList]:
            if source.error is not None:
                raise source.error
            return {item.key: source.lists[item.key] for item in items if item.key in source.lists}

        made.permissions = lists  # type: ignore[method-assign, assignment]
        syncs.trigger(face.context, row)
        face.wire.rest()
        all_of_them, _ = documents.page(face.context, row, limit=50)
        source.ids.update({f"doc_{one.document.id}": one.document.key for one in all_of_them})
        yield source


def test_before_the_lists_are_read_nobody_sees_anything(guarded: Guarded) -> None:
    """Neither a mapped reader, nor an admin."""
    guarded.token("ann")
    guarded.map("ann", emails=["ann@example.org"])
    assert guarded.seen("ann") == guarded.seen("admin") == set()
    assert len(guarded.ids) == len(LISTS)


def test_a_reader_sees_what_the_source_shows_whom_it_is_mapped_to(guarded: Guarded) -> None:
    """By address in any case, by its domain, by group, by team (which is no group); another does not."""
    assert guarded.refresh() == "SUCCEEDED"
    for name in ("ann", "bob", "carl", "dora"):
        guarded.token(name)
    guarded.map("ann", emails=["ANN@example.org"])
    guarded.map("bob", groups=["engineers"], emails=["bob@elsewhere.org"])
    guarded.map("carl", teams=["engineers"])
    assert guarded.seen("ann") == {"doc000", "doc003"} | PUBLIC
    assert guarded.seen("bob") == {"doc001"} | PUBLIC
    assert guarded.seen("carl") == {"doc002"} | PUBLIC
    assert guarded.seen("dora") == PUBLIC


def test_no_role_opens_what_the_source_keeps_closed(guarded: Guarded) -> None:
    """Admins and owners see what is public, until they are mapped."""
    guarded.refresh()
    assert guarded.seen("admin") == guarded.seen("viewer") == PUBLIC


def test_a_mapping_ends_with_the_next_request(guarded: Guarded) -> None:
    """What is said anew takes the place of what was said."""
    guarded.refresh()
    guarded.token("ann")
    guarded.map("ann", emails=["ann@example.org"], groups=["engineers"])
    assert guarded.seen("ann") == {"doc000", "doc001", "doc003"} | PUBLIC
    guarded.map("ann", groups=["engineers"])
    assert guarded.seen("ann") == {"doc001"} | PUBLIC
    guarded.map("ann")
    assert guarded.seen("ann") == PUBLIC


def test_a_mapping_holds_in_its_tenant_alone(guarded: Guarded) -> None:
    """A group of the same name at another tenant's source is another group."""
    guarded.refresh()
    ann = guarded.token("ann")
    there = access.tenant_called(guarded.face.context, "there")
    elsewhere = access.add_token(
        guarded.face.context, "ann there", principal_id=ann.principal.id, role="viewer", tenant_id=there
    )
    readers.read_as(guarded.face.context, elsewhere.token, readers.named(groups=["engineers"]))
    assert guarded.seen("ann") == PUBLIC


def test_lists_that_cannot_be_read_hide_what_they_hid(guarded: Guarded) -> None:
    """A first look that fails shows nothing; a later one shows no more than the last that succeeded."""
    guarded.token("ann")
    guarded.map("ann", emails=["ann@example.org"])
    guarded.error = SourceDown("The lists are away.")
    assert guarded.refresh() == "FAILED"
    assert guarded.seen("ann") == set()
    guarded.error = None
    guarded.refresh()
    guarded.lists.pop("doc000")
    guarded.refresh()
    guarded.error = SourceDown("The lists are away.")
    assert guarded.refresh() == "FAILED"
    assert guarded.seen("ann") == {"doc003"} | PUBLIC


@pytest.mark.parametrize(
    "wrong",
    [
        {"emails": ["ann"]},
        {"emails": ["ann@example.org, bob@example.org"]},
        {"groups": [" "]},
        {"teams": ["a\0b"]},
    ],
)
def test_what_names_nobody_is_refused(wrong: dict[str, list[str]]) -> None:
    """A slip of the operator must not map anybody by chance."""
    with pytest.raises(UsageError):
        readers.named(**wrong)
