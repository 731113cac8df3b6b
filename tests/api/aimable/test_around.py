"""What lies around connectors: spaces, roles, collections, files, providers, who calls."""

from __future__ import annotations

from typing import Any

import pytest

from catchment.services import access, oauth_clients
from tests.api.aimable.conftest import Aimable
from tests.api.aimable.test_connectors import told


def upload(aimable: Aimable, path: str, *names: str, field: str = "files", **more: Any) -> Any:
    files = [(field, (name, f"text of {name}".encode(), "text/plain")) for name in names]
    return aimable.ask("POST", path, files=files, **more)


class TestSpaces:
    def test_are_a_bare_list(self, aimable: Aimable) -> None:
        """No envelope; only those in which the caller has a role."""
        (one,) = aimable.ask("GET", "/v1/spaces").json()
        assert one["space_id"] == aimable.variables["space_id"]
        assert one["role"] == "space.admin"
        assert aimable.ask("GET", "/v1/spaces", token="outsider").json() == []

    def test_are_made_with_their_maker_as_admin(self, aimable: Aimable) -> None:
        """An editor of the tenant makes one and may write there; nobody else of the tenant's editors may."""
        made = aimable.ask("POST", "/v1/spaces", token="outsider", json={"name": "Lab"})
        assert made.status_code == 201
        path = f"/v1/spaces/{made.json()['space_id']}/collections"
        assert made.json()["data"]["name"] == "Lab"
        assert aimable.ask("POST", path, token="outsider", json={"name": "Notes"}).status_code == 201
        assert aimable.ask("GET", path, token="viewer").status_code == 403
        assert aimable.ask("GET", path, token="other_tenant").status_code == 404

    @pytest.mark.parametrize("name", ["", " ", "x" * 256, None, 7])
    def test_need_a_name(self, aimable: Aimable, name: Any) -> None:
        """1 to 255 characters, not all of them blank."""
        assert told(aimable.ask("POST", "/v1/spaces", json={"name": name}))[0][0] == ["body", "name"]


class TestRoles:
    def test_open_and_close_a_space(self, aimable: Aimable) -> None:
        """Given by key or id, in place of the one before; taken away, the space is closed again."""
        outsider = aimable.ask("GET", "/v1/me", token="outsider").json()["data"]["principal_id"]
        path = f"{aimable.space}/members/{outsider}/roles"
        for body in ({"role_key": "space.viewer"}, {"role_id": "space.editor"}):
            assert aimable.ask("POST", path, json=body).status_code == 201
        assert aimable.ask("GET", path).json()["data"] == [
            {"role_id": "space.editor", "role_key": "space.editor"}
        ]
        assert aimable.ask("GET", aimable.connectors, token="outsider").status_code == 200
        members = aimable.ask("GET", f"{aimable.space}/members").json()["data"]
        assert {"outsider", "admin", "viewer"} <= {one["name"] for one in members}
        assert aimable.ask("DELETE", f"{path}/space.viewer").status_code == 404
        assert aimable.ask("DELETE", f"{path}/space.editor").status_code == 204
        assert aimable.ask("GET", aimable.connectors, token="outsider").status_code == 403

    def test_are_given_by_admins_to_principals_of_the_tenant(self, aimable: Aimable) -> None:
        """Nobody lifts themselves; a stranger is unknown; an unknown role is a 422."""
        viewer = aimable.ask("GET", "/v1/me", token="viewer").json()["data"]["principal_id"]
        stranger = aimable.ask("GET", "/v1/me", token="other_tenant").json()["data"]["principal_id"]
        body = {"role_key": "space.admin"}
        path = f"{aimable.space}/members"
        assert aimable.ask("POST", f"{path}/{viewer}/roles", token="viewer", json=body).status_code == 403
        assert aimable.ask("POST", f"{path}/{stranger}/roles", json=body).status_code == 404
        assert aimable.ask("POST", f"{path}/nobody/roles", json=body).status_code == 404
        odd = aimable.ask("POST", f"{path}/{viewer}/roles", json={"role_key": "space.king"})
        assert told(odd)[0][0] == ["body", "role_key"]
        assert told(aimable.ask("POST", f"{path}/{viewer}/roles", json={}))[0][0] == ["body"]


class TestCollections:
    def test_are_made_changed_and_removed(self, aimable: Aimable) -> None:
        """The documented fields stand at the top, and in the envelope; removed, it is unknown."""
        made = aimable.ask("POST", f"{aimable.space}/collections", json={"name": "Notes"})
        assert made.status_code == 201
        collection = made.json()["collection_id"]
        assert made.json()["data"]["collection_id"] == collection
        assert made.json()["space_id"] == aimable.variables["space_id"]
        path = f"/v1/collections/{collection}"
        changed = aimable.ask("PATCH", path, json={"description": "Of the lab"}).json()["data"]
        assert (changed["name"], changed["description"]) == ("Notes", "Of the lab")
        assert aimable.ask("PATCH", path, token="viewer", json={}).status_code == 403
        assert aimable.ask("DELETE", path).status_code == 204
        assert aimable.ask("GET", f"{aimable.space}/collections/{collection}").status_code == 404
        assert aimable.ask("DELETE", path).status_code == 404

    def test_with_connectors_stay(self, aimable: Aimable) -> None:
        """409, as for the default one."""
        collection = aimable.ask("POST", f"{aimable.space}/collections", json={"name": "Notes"}).json()
        there = f"{aimable.space}/collections/{collection['collection_id']}/connectors"
        body = {"provider_slug": "fixture"}
        aimable.ask("POST", there, headers={"Idempotency-Key": "k"}, json=body)
        for one in (collection["collection_id"], aimable.variables["collection_id"]):
            assert aimable.ask("DELETE", f"/v1/collections/{one}").status_code == 409

    def test_are_listed_in_pages_with_how_much_is_in_them(self, aimable: Aimable) -> None:
        """Newest first."""
        aimable.fixture("a.md")
        aimable.ask("POST", f"{aimable.space}/collections", json={"name": "Notes"})
        first = aimable.ask("GET", f"{aimable.space}/collections", params={"limit": 1}).json()
        query = {"limit": 1, "cursor": first["meta"]["next_cursor"]}
        second = aimable.ask("GET", f"{aimable.space}/collections", params=query).json()
        assert [one["name"] for one in first["data"] + second["data"]] == ["Notes", "Default"]
        assert second["data"][0]["connectors"] == 1
        foreign = aimable.ask("GET", aimable.connectors, params=query)
        assert told(foreign)[0][0] == ["query", "cursor"]
        assert second["meta"]["has_more"] is False


class TestFiles:
    def test_are_read_in_the_background(self, aimable: Aimable) -> None:
        """202 with an id for each; in the end they are in the index."""
        answer = upload(aimable, f"{aimable.collection}/documents", "heron.txt", "otter.txt")
        assert answer.status_code == 202, answer.text
        taken = answer.json()
        assert taken["data"]["source_ids"] == taken["source_ids"]
        assert len(set(taken["source_ids"])) == 2
        assert [one["name"] for one in taken["files"]] == ["heron.txt", "otter.txt"]
        aimable.wire.rest()
        path = f"{aimable.connectors}/{taken['connector_id']}/sync/{taken['sync_id']}"
        sync = aimable.ask("GET", path).json()["data"]
        assert (sync["status"], sync["metadata"]["indexed"]) == ("completed", 2)
        assert [hit.key for hit in aimable.wire.house().search("heron")] == ["upload:heron.txt"]

    def test_go_to_one_connector_of_each_collection(self, aimable: Aimable) -> None:
        """Made on first use; without a collection it is the caller's oldest."""
        here = upload(aimable, f"{aimable.collection}/documents", "a.txt", field="file").json()
        again = upload(aimable, "/v1/files/", "b.txt").json()
        assert again["connector_id"] == here["connector_id"]
        assert again["collection_id"] == aimable.variables["collection_id"]
        made = aimable.ask("POST", f"{aimable.space}/collections", json={"name": "Notes"}).json()
        named = upload(aimable, f"/v1/files?collection_id={made['collection_id']}", "c.txt").json()
        assert named["connector_id"] != here["connector_id"]
        aimable.wire.rest()

    def test_that_are_none_are_refused(self, aimable: Aimable) -> None:
        """422 without files, whatever is sent instead; 403 for whoever may not write."""
        path = f"{aimable.collection}/documents"
        assert told(aimable.ask("POST", path)) == [(["body", "files"], "missing")]
        assert told(aimable.ask("POST", path, json={"files": ["a"]}))[0][0] == ["body", "files"]
        assert told(aimable.ask("POST", path, data={"files": "text"}))[0][0][:2] == ["body", "files"]
        headers = {"Content-Type": "multipart/form-data; boundary=b"}
        told(aimable.ask("POST", path, content=b"--b\r\ntorn", headers=headers))
        for token in ("viewer", "outsider"):
            assert upload(aimable, path, "a.txt", token=token).status_code == 403
            assert upload(aimable, "/v1/files", "a.txt", token=token).status_code == 403


class TestProviders:
    def test_are_for_admins(self, aimable: Aimable) -> None:
        """403 for others."""
        for path in ("/v1/admin/connector-providers", "/v1/admin/connector-providers/slack"):
            assert aimable.ask("GET", path, token="outsider").status_code == 403

    def test_tell_how_to_fill_in_a_connector(self, aimable: Aimable) -> None:
        """By slug and by id; a sign-in in the browser is set up when its client is."""
        listed = aimable.ask("GET", "/v1/admin/connector-providers", params={"limit": 100}).json()
        slugs = [one["provider_slug"] for one in listed["data"]]
        assert {"google-drive", "slack", "github", "s3", "folder"} <= set(slugs)
        drive = listed["data"][slugs.index("google-drive")]
        assert drive["auth_type"] == "oauth2"
        assert drive["setup_complete"] is False
        assert "folder_ids" in drive["config_schema"]["properties"]
        assert all({"name", "description"} == set(scope) for scope in drive["default_scopes"])
        by_id = f"/v1/admin/connector-providers/{drive['id']}"
        assert aimable.ask("GET", by_id).json()["data"] == drive
        assert aimable.ask("GET", f"{by_id}x").status_code == 404
        client = {"client_id": "us", "client_secret": "the jewel"}
        oauth_clients.keep(aimable.context, "google-drive", client)
        shown = aimable.ask("GET", by_id)
        assert shown.json()["data"]["setup_complete"] is True
        assert "jewel" not in shown.text


def test_who_calls_and_where_it_belongs_to(aimable: Aimable) -> None:
    """A principal of two tenants sees both memberships, with its role in each."""
    me = aimable.ask("GET", "/v1/me").json()["data"]
    assert (me["name"], me["role"], me["kind"]) == ("admin", "admin", "user")
    tenant = access.tenant_called(aimable.context, "elsewhere")
    access.add_token(
        aimable.context, "second", principal_id=me["id"].replace("-", ""), role="viewer", tenant_id=tenant
    )
    memberships = aimable.ask("GET", "/v1/me/memberships").json()
    assert [one["role"] for one in memberships["data"]] == ["admin", "viewer"]
    assert memberships["data"][1]["tenant_name"] == "elsewhere"
    assert memberships["meta"] == {"next_cursor": None, "has_more": False}


def test_the_other_prefix_is_the_same_face(aimable: Aimable) -> None:
    """Whatever lies under /v1 lies under /api-proxy/v1, too, with the same errors."""
    for path in ("/v1/spaces", "/v1/me", "/v1/admin/connector-providers", aimable.connectors, "/v1/nowhere"):
        here, there = aimable.ask("GET", path), aimable.ask("GET", f"/api-proxy{path}")
        assert (here.status_code, here.json()) == (there.status_code, there.json())
