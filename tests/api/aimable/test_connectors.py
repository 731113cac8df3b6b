"""Collection connectors over HTTP: the rules beside those of the contract's own cases."""

from __future__ import annotations

from typing import Any

import pytest

from catchment.core.errors import SourceDown
from catchment.services import connectors
from tests.api.aimable.conftest import Aimable

DRIVE = {"provider_slug": "google-drive", "credential": {"access_token": "the jewel"}}


def told(answer: Any) -> list[tuple[list[Any], str]]:
    """Where and what an answer says to be wrong; it must be a 422."""
    assert answer.status_code == 422, answer.text
    return [(one["loc"], one["type"]) for one in answer.json()["detail"]]


class TestCreate:
    def test_the_first_answer_comes_again_even_after_the_connector_is_gone(self, aimable: Aimable) -> None:
        """A key that is used again creates nothing, whatever became of what it created, and says so."""
        first = aimable.create(key="once", **DRIVE)
        assert "idempotent-replayed" not in first.headers
        path = f"{aimable.connectors}/{first.json()['data']['id']}"
        assert aimable.ask("DELETE", path).status_code == 204
        again = aimable.create(key="once", **DRIVE)
        assert (again.status_code, again.json()) == (201, first.json())
        assert again.headers["idempotent-replayed"] == "true"
        assert aimable.ask("GET", aimable.connectors).json()["data"] == []

    def test_another_body_under_a_key_is_refused_even_where_it_only_adds_what_we_ignore(
        self, aimable: Aimable
    ) -> None:
        """409, and nothing is created."""
        aimable.create(key="once", **DRIVE)
        assert aimable.create(key="once", **DRIVE, unknown=1).status_code == 409
        assert len(aimable.ask("GET", aimable.connectors).json()["data"]) == 1

    def test_a_refused_request_leaves_its_key_free(self, aimable: Aimable) -> None:
        """What was a 422 or a 403 may be sent again, corrected, under the same key."""
        told(aimable.create(key="once", provider_slug="nobody"))
        assert aimable.create(key="once", token="viewer", **DRIVE).status_code == 403
        assert aimable.create(key="once", **DRIVE).status_code == 201

    def test_keys_of_two_collections_are_two_keys(self, aimable: Aimable) -> None:
        """A key belongs to a path."""
        made = aimable.ask("POST", f"{aimable.space}/collections", json={"name": "second"}).json()["data"]
        here = aimable.create(key="once", **DRIVE).json()["data"]
        path = f"{aimable.space}/collections/{made['collection_id']}/connectors"
        there = aimable.ask("POST", path, headers={"Idempotency-Key": "once"}, json=DRIVE).json()["data"]
        assert here["id"] != there["id"]
        assert there["collection_id"] == made["collection_id"]

    @pytest.mark.parametrize("key", ["", "k" * 256, "k\u00e9y"])
    def test_a_key_that_cannot_be_is_refused(self, aimable: Aimable, key: str) -> None:
        """1 to 255 printable ASCII characters."""
        headers = {"Idempotency-Key": key.encode("latin-1")}
        answer = aimable.ask("POST", aimable.connectors, headers=headers, json=DRIVE)
        assert told(answer)[0][0] == ["header", "Idempotency-Key"]

    @pytest.mark.parametrize(
        ("body", "loc"),
        [
            ({"provider_slug": "nobody", "credential": {}}, ["body", "provider_slug"]),
            ({"provider_slug": "google-drive"}, ["body", "credential"]),
            ({"provider_slug": "google-drive", "credential": {"pin": "1"}}, ["body", "credential", "pin"]),
            ({"provider_slug": "google-drive", "credential": "token"}, ["body", "credential"]),
            (
                {"provider_slug": "s3", "credential": {}, "scope_config": {}},
                ["body", "scope_config", "bucket"],
            ),
            (
                {"provider_slug": "fixture", "scope_config": {"access_token": "x"}},
                ["body", "scope_config", "access_token"],
            ),
            ({"provider_slug": "fixture", "credential": {"token": "x"}}, ["body", "credential"]),
            ({"provider_slug": "fixture", "schedule": "whenever"}, ["body", "schedule"]),
            ({"provider_slug": "fixture", "name": " "}, ["body", "name"]),
        ],
    )
    def test_what_is_wrong_is_named(self, aimable: Aimable, body: dict[str, Any], loc: list[str]) -> None:
        """422 says where, in the words of this face."""
        assert told(aimable.create(**body))[0][0] == loc

    def test_no_answer_repeats_a_secret(self, aimable: Aimable) -> None:
        """Not when it is stored, shown, replaced or refused."""
        made = aimable.create(**DRIVE)
        path = f"{aimable.connectors}/{made.json()['data']['id']}"
        answers = [
            made,
            aimable.ask("GET", path),
            aimable.ask("GET", aimable.connectors),
            aimable.ask("PATCH", path, json={"credential": {"access_token": "the jewel"}}),
            aimable.ask("PATCH", path, json={"credential": {"pin": "the jewel"}}),
            aimable.ask("PATCH", path, json={"credential": "the jewel"}),
            aimable.create(provider_slug="google-drive", credential=["the jewel"]),
            aimable.create(provider_slug="google-drive", credential={}, scope_config={"token": "the jewel"}),
        ]
        assert [answer.status_code for answer in answers] == [201, 200, 200, 200, 422, 422, 422, 422]
        assert not any("jewel" in answer.text for answer in answers)
        assert any("the jewel" in body for body in aimable.wire.bodies)

    def test_an_empty_credential_waits_for_the_sign_in(self, aimable: Aimable) -> None:
        """pending; it cannot be synced, browsed or resumed until it has one."""
        made = aimable.create(provider_slug="google-drive", credential={}).json()["data"]
        path = f"{aimable.connectors}/{made['id']}"
        assert made["status"] == "pending"
        assert aimable.ask("POST", f"{path}/sync").status_code == 409
        assert aimable.ask("GET", f"{path}/browse").status_code == 409
        assert aimable.ask("PATCH", path, json={"status": "paused"}).status_code == 409
        signed = aimable.ask("PATCH", path, json={"credential": {"access_token": "t"}}).json()["data"]
        assert signed["status"] == "active"

    def test_nothing_is_stored_while_prefect_is_away(self, aimable: Aimable) -> None:
        """503 with a time to try again; the key stays free."""
        aimable.wire.is_away = True
        answer = aimable.create(key="once", **DRIVE)
        assert answer.status_code == 503
        assert int(answer.headers["retry-after"]) >= 1
        assert isinstance(answer.json()["detail"], str)
        aimable.wire.is_away = False
        assert aimable.ask("GET", aimable.connectors).json()["data"] == []
        assert aimable.create(key="once", **DRIVE).status_code == 201


class TestOrder:
    """Which of several faults is told: who asks, then the shape, then what there is, then what is held."""

    def test_of_faults(self, aimable: Aimable) -> None:
        """Each request has all faults of those below it."""
        nowhere = "/v1/spaces/not-a-uuid/collections/not-a-uuid/connectors/none"
        unknown = f"{aimable.space}/collections/{aimable.variables['space_id']}/connectors/none"
        path = f"{aimable.connectors}/none"
        bad = {"provider_slug": 1}
        assert aimable.client.patch(nowhere, json=bad).status_code == 401
        assert told(aimable.ask("PATCH", nowhere, json=bad)) == [
            (["path", "space_id"], "uuid_parsing"),
            (["path", "collection_id"], "uuid_parsing"),
            (["body", "provider_slug"], "string_type"),
        ]
        assert told(aimable.ask("PATCH", path, token="outsider", json=bad))[0][0] == ["body", "provider_slug"]
        changed = {"provider_slug": "other", "schedule": None}
        assert aimable.ask("PATCH", path, token="outsider", json=changed).status_code == 403
        assert aimable.ask("PATCH", unknown, token="outsider", json=changed).status_code == 403
        assert aimable.ask("PATCH", unknown, json=changed).status_code == 404
        assert aimable.ask("PATCH", path, json=changed).status_code == 404
        real = aimable.fixture("a.md")
        assert told(aimable.ask("PATCH", real, json=changed)) == [(["body", "provider_slug"], "value_error")]

    def test_a_space_of_another_tenant_is_unknown_and_one_without_a_role_is_forbidden(
        self, aimable: Aimable
    ) -> None:
        """404 and 403, for every method."""
        path = aimable.fixture("a.md")
        for method, more in [("GET", ""), ("DELETE", ""), ("POST", "/sync"), ("GET", "/browse")]:
            statuses = [
                aimable.ask(method, path + more, token=who).status_code
                for who in ("other_tenant", "outsider")
            ]
            assert statuses == [404, 403]

    def test_a_connector_of_another_collection_is_unknown(self, aimable: Aimable) -> None:
        """404, although the caller may reach both collections; nothing happens to it."""
        path = aimable.fixture("a.md")
        made = aimable.ask("POST", f"{aimable.space}/collections", json={"name": "second"}).json()
        other = f"{aimable.space}/collections/{made['collection_id']}/connectors/{path.rpartition('/')[2]}"
        for method, more in [("GET", ""), ("DELETE", ""), ("POST", "/sync"), ("GET", "/sync")]:
            assert aimable.ask(method, other + more).status_code == 404
        assert aimable.ask("GET", path).status_code == 200

    def test_a_viewer_looks_and_does_not_touch(self, aimable: Aimable) -> None:
        """Reading is open to every role in the space, the rest to editors."""
        path = aimable.fixture("a.md")
        reads = [("GET", path), ("GET", aimable.connectors), ("GET", f"{path}/sync")]
        writes = [
            ("PATCH", path),
            ("DELETE", path),
            ("POST", f"{path}/sync"),
            ("POST", f"{path}/sync/cancel"),
        ]
        assert {aimable.ask(how, where, token="viewer").status_code for how, where in reads} == {200}
        for how, where in writes:
            body = {"json": {}} if how == "PATCH" else {}
            assert aimable.ask(how, where, token="viewer", **body).status_code == 403


class TestList:
    def test_walks_through_all_without_gap_or_repetition(self, aimable: Aimable) -> None:
        """Newest first, also while others are made."""
        made = [aimable.fixture("a.md").rpartition("/")[2] for _ in range(5)]
        seen, cursor = [], None
        while True:
            query = {"limit": 2, **({"cursor": cursor} if cursor else {})}
            page = aimable.ask("GET", aimable.connectors, params=query).json()
            seen += [one["id"] for one in page["data"]]
            cursor = page["meta"]["next_cursor"]
            assert page["meta"]["has_more"] is (cursor is not None)
            aimable.fixture("b.md")
            if cursor is None:
                break
        assert seen == made[::-1]

    def test_can_be_narrowed(self, aimable: Aimable) -> None:
        """By provider and status; an unknown status is a 422, an unknown parameter nothing."""
        path = aimable.fixture("a.md")
        aimable.create(**DRIVE)
        aimable.ask("PATCH", path, json={"status": "paused"})

        def slugs(**query: str) -> list[str]:
            listed = aimable.ask("GET", aimable.connectors, params=query).json()["data"]
            return [one["provider_slug"] for one in listed]

        assert slugs(provider_slug="google-drive") == ["google-drive"]
        assert slugs(status="paused") == ["fixture"]
        assert slugs(status="error") == []
        assert slugs(colour="green") == ["google-drive", "fixture"]
        assert told(aimable.ask("GET", aimable.connectors, params={"status": "odd"}))[0][0] == [
            "query",
            "status",
        ]

    @pytest.mark.parametrize(
        "cursor", ["", "%%%", "abc", "W10", "WyJuIiwtMV0", "WyJ0IiwxLjAsIngiXQ", "\u00e9", "x" * 5000]
    )
    def test_a_cursor_of_somebody_else_is_refused(self, aimable: Aimable, cursor: str) -> None:
        """422 at the cursor, whatever it holds; that of another list is foreign, too."""
        answer = aimable.ask("GET", aimable.connectors, params={"cursor": cursor})
        assert told(answer)[0][0] == ["query", "cursor"]


class TestPatch:
    def test_replaces_what_is_given_and_keeps_the_rest(self, aimable: Aimable) -> None:
        """The scope is replaced whole; name and schedule are set, and the schedule is taken away by null."""
        path = aimable.fixture("a.md", latency_ms=5)
        named = aimable.ask("PATCH", path, json={"name": "Mine", "schedule": "daily"}).json()["data"]
        assert (named["name"], named["schedule"]) == ("Mine", "daily")
        assert named["scope_config"]["latency_ms"] == 5
        replaced = aimable.ask("PATCH", path, json={"scope_config": {"items": []}}).json()["data"]
        assert "latency_ms" not in replaced["scope_config"]
        assert (replaced["name"], replaced["schedule"]) == ("Mine", "daily")
        assert aimable.ask("PATCH", path, json={"schedule": None}).json()["data"]["schedule"] is None

    def test_pauses_and_goes_on(self, aimable: Aimable) -> None:
        """A paused connector refuses a sync with 409."""
        path = aimable.fixture("a.md")
        assert aimable.ask("PATCH", path, json={"status": "paused"}).json()["data"]["status"] == "paused"
        assert aimable.ask("POST", f"{path}/sync").status_code == 409
        assert aimable.ask("PATCH", path, json={"status": "active"}).json()["data"]["status"] == "active"
        assert told(aimable.ask("PATCH", path, json={"status": "error"}))[0][0] == ["body", "status"]

    def test_one_wrong_part_changes_nothing(self, aimable: Aimable) -> None:
        """The parts that are right are not taken either."""
        path = aimable.fixture("a.md")
        before = aimable.ask("GET", path).json()
        told(aimable.ask("PATCH", path, json={"name": "New", "scope_config": {"colour": "green"}}))
        assert aimable.ask("GET", path).json() == before


class TestBrowse:
    def test_goes_page_by_page(self, aimable: Aimable) -> None:
        """Limit and cursor hold here, too, within what the source gives at a time."""
        path = aimable.fixture(*(f"{number}.md" for number in range(5)))
        first = aimable.ask("GET", f"{path}/browse", params={"limit": 3}).json()
        assert [one["name"] for one in first["data"]] == ["0.md", "1.md", "2.md"]
        query = {"limit": 3, "cursor": first["meta"]["next_cursor"]}
        rest = aimable.ask("GET", f"{path}/browse", params=query).json()
        assert [one["name"] for one in rest["data"]] == ["3.md", "4.md"]
        assert rest["meta"] == {"next_cursor": None, "has_more": False}

    def test_tells_what_can_be_known_of_a_resource(self, aimable: Aimable) -> None:
        """Every field is there."""
        path = aimable.fixture("folder/a.md")
        query = {"parent_id": "folder"}
        (one,) = aimable.ask("GET", f"{path}/browse", params=query).json()["data"]
        assert one == {
            "id": "folder/a.md",
            "name": "a.md",
            "type": "file",
            "parent_id": "folder",
            "has_children": False,
            "selectable": True,
            "size": len("text of folder/a.md"),
            "modified_at": None,
            "selected": False,
        }

    def test_a_source_that_fails_is_a_502(self, aimable: Aimable, monkeypatch: pytest.MonkeyPatch) -> None:
        """What the source says is told as a sentence."""

        def down(*_words: Any) -> None:
            raise SourceDown("The source does not answer.")

        path = aimable.fixture("a.md")
        monkeypatch.setattr(connectors, "browse", down)
        answer = aimable.ask("GET", f"{path}/browse")
        assert (answer.status_code, answer.json()) == (502, {"detail": "The source does not answer."})

    def test_a_provider_without_code_is_a_409(self, aimable: Aimable) -> None:
        """The connector exists; it cannot be looked into or synced yet."""
        path = f"{aimable.connectors}/{aimable.create(**DRIVE).json()['data']['id']}"
        assert aimable.ask("GET", f"{path}/browse").status_code == 409
        assert aimable.ask("POST", f"{path}/sync").status_code == 409


def test_every_spelling_of_an_id_is_read(aimable: Aimable) -> None:
    """With a prefix, without hyphens, in capitals; and what is none is a 404 for connectors."""
    path = aimable.fixture("a.md")
    inner = path.rpartition("/")[2].replace("-", "")
    collection = aimable.variables["zen_collection"]
    there = f"{aimable.space}/collections/{collection}/connectors"
    for text in (inner, f"conn_{inner}", inner.upper()):
        answer = aimable.ask("GET", f"{there}/{text}")
        assert answer.status_code == 200
        assert answer.json()["data"]["collection_id"] == aimable.variables["collection_id"]
    assert aimable.ask("GET", f"{there}/job_{inner}").status_code == 404
