"""Connectors and their runs in GraphQL."""

from __future__ import annotations

from typing import Any

import pytest

from catchment.services.inline_secrets import MARK
from tests.api.trove.conftest import Trove, items

SHOWN = "query Q($id: ID!) { connector(id: $id) { %s } }"
UPDATE = (
    "mutation M($id: ID!, $input: UpdateConnectorInput!) { updateConnector(id: $id, input: $input)"
    " { name description config schedule status } }"
)
CREATE = "mutation M($input: CreateConnectorInput!) { createConnector(input: $input) { id status config } }"
DELETE = "mutation M($id: ID!) { deleteConnector(id: $id) }"
PAUSE = "mutation M($id: ID!) { pauseConnector(id: $id) { status } }"
RESUME = "mutation M($id: ID!) { resumeConnector(id: $id) { status } }"
TRIGGER = (
    "mutation M($id: ID!) { triggerSync(connectorId: $id) { id status trigger documentsSynced completedAt } }"
)
CANCEL = "mutation M($id: ID!) { cancelSync(connectorId: $id) { id status } }"
S3 = {"bucket": "books", "accessKeyId": "AKIA-OLD", "secretAccessKey": "old-secret"}


def shown(trove: Trove, connector: str, fields: str) -> Any:
    return trove.ask(SHOWN % fields, id=connector)["connector"]


def wish(kind: str = "rss", **values: Any) -> dict[str, Any]:
    usual = {"name": "x", "execution": "CLOUD", "config": {"feedUrl": "https://example.com/feed"}}
    return {"connectorType": kind, **usual, **values}


def blocks(trove: Trove) -> list[dict[str, Any]]:
    return [block["data"] for block in trove.wire.blocks.values()]


class TestCreate:
    def test_literals_within_the_query_are_settings(self, trove: Trove) -> None:
        """Objects, lists, numbers and nulls are taken as they are written, and variables among them."""
        query = (
            'mutation M($deep: JSON) { createConnector(input: {connectorType: "x", name: "n",'
            ' execution: LOCAL, config: {a: {b: [1, 2.5, true, null, "s"]}, c: $deep}}) { config } }'
        )
        made = trove.ask(query, deep={"d": 1})["createConnector"]
        assert made["config"] == {"a": {"b": [1, 2.5, True, None, "s"]}, "c": {"d": 1}}

    @pytest.mark.parametrize(
        "schedule", ["every 30 minutes", "every hour", "every 6 hours", "every 12 hours", "daily"]
    )
    def test_the_five_schedules_are_taken(self, trove: Trove, schedule: str) -> None:
        """Each becomes a schedule in Prefect; a connector that is pushed to keeps it without effect."""
        connector = trove.cloud(items("a"), schedule=schedule)
        assert shown(trove, connector, "schedule") == {"schedule": schedule}
        (deployment,) = trove.wire.deployments.values()
        assert len(deployment["schedules"]) == 1
        local = trove.local(schedule=schedule)
        assert shown(trove, local, "schedule") == {"schedule": schedule}
        assert len(trove.wire.deployments) == 1

    @pytest.mark.parametrize(
        "values",
        [
            {"schedule": "every 5 minutes"},
            {"schedule": "0 6 * * *"},
            {"schedule": ""},
            {"connectorType": "my-own-thing"},
            {"connectorType": ""},
            {"name": ""},
            {"name": "n" * 256},
            {"config": []},
            {"config": "text"},
            {"config": {"feedUrl": 5}},
            {"config": {"feedUrl": "https://e.org", "apiKey": "SECRET"}},
            {"connectorType": "s3", "config": {**S3, "secretAccessKey": MARK}},
            {"connectorType": "folder", "config": {"nonsense": 1}},
        ],
    )
    def test_what_cannot_be_made_is_refused(self, trove: Trove, values: Any) -> None:
        """BAD_USER_INPUT, and nothing is stored, here or in Prefect."""
        found = trove.answer(CREATE, input=wish(**values))
        assert [one["extensions"]["code"] for one in found["errors"]] == ["BAD_USER_INPUT"]
        assert "SECRET" not in str(found)
        assert trove.ask("{ connectors { id } }") == {"connectors": []}
        assert trove.wire.deployments == {}

    def test_a_connector_without_its_sign_in_waits_in_setup(self, trove: Trove) -> None:
        """It becomes active when its secrets arrive among the settings."""
        connector = trove.cloud({"spaceKeys": ["A"], "instanceUrl": "https://e.org"}, "confluence")
        assert shown(trove, connector, "status") == {"status": "SETUP"}
        assert trove.code(TRIGGER, id=connector) == "CONFLICT"
        new = {"instanceUrl": "https://e.org", "email": "a@e.org", "api_token": "tok"}
        assert trove.ask(UPDATE, id=connector, input={"config": new})["updateConnector"]["status"] == "ACTIVE"
        assert [one.get("api_token") for one in blocks(trove)] == ["tok"]

    def test_a_connector_without_required_settings_waits_in_setup(self, trove: Trove) -> None:
        """It can be named, not synced, and becomes active with complete settings."""
        connector = trove.cloud({}, "rss")
        assert shown(trove, connector, "status config") == {"status": "SETUP", "config": {}}
        assert trove.code(TRIGGER, id=connector) == "CONFLICT"
        assert trove.ask(UPDATE, id=connector, input={"name": "Feed"})["updateConnector"]["status"] == "SETUP"
        assert trove.code(UPDATE, id=connector, input={"config": {}}) == "BAD_USER_INPUT"
        new = {"config": {"feedUrl": "https://example.com/feed"}}
        assert trove.ask(UPDATE, id=connector, input=new)["updateConnector"]["status"] == "ACTIVE"

    def test_secrets_alone_do_not_finish_a_set_up(self, trove: Trove) -> None:
        """Where settings are missing, a connector with its secrets still waits for them."""
        connector = trove.cloud({"accessKeyId": "A", "secretAccessKey": "B"}, "s3")
        assert shown(trove, connector, "status") == {"status": "SETUP"}
        new = {"config": {"bucket": "books", "accessKeyId": MARK, "secretAccessKey": "C"}}
        assert trove.ask(UPDATE, id=connector, input=new)["updateConnector"]["status"] == "ACTIVE"

    def test_while_prefect_is_away_nothing_is_stored(self, trove: Trove) -> None:
        """UNAVAILABLE within a 200, for everything that touches a pulled connector."""
        connector = trove.cloud(items("a"))
        trove.wire.is_away = True
        assert trove.code(CREATE, input=wish("fixture", config=items("a"))) == "UNAVAILABLE"
        assert trove.code(UPDATE, id=connector, input={"name": "new"}) == "UNAVAILABLE"
        assert trove.code(TRIGGER, id=connector) == "UNAVAILABLE"
        assert trove.code(PAUSE, id=connector) == "UNAVAILABLE"
        assert trove.code(DELETE, id=connector) == "UNAVAILABLE"
        rows = trove.ask("{ connectors { id name status } }")["connectors"]
        assert rows == [{"id": connector, "name": "fixture", "status": "ACTIVE"}]


class TestSecrets:
    def test_secrets_of_a_provider_are_kept_apart_and_shown_by_a_mark(self, trove: Trove) -> None:
        """The settings hold a mark, the block the secret, and the store nothing of it."""
        found = trove.answer(CREATE, input=wish("s3", config=S3))
        assert found["data"]["createConnector"]["config"] == {
            "bucket": "books",
            "accessKeyId": MARK,
            "secretAccessKey": MARK,
        }
        assert "old-secret" not in str(found)
        assert "old-secret" in str(blocks(trove))
        assert b"old-secret" not in (trove.house.home / "catchment.db").read_bytes()

    def test_a_mark_that_is_sent_back_means_as_it_was(self, trove: Trove) -> None:
        """All marks keep the credentials; one new value replaces that one only."""
        connector = trove.cloud(S3, "s3")
        before = blocks(trove)
        changed = {"bucket": "cars", "accessKeyId": MARK, "secretAccessKey": MARK}
        assert (
            trove.ask(UPDATE, id=connector, input={"config": changed})["updateConnector"]["config"] == changed
        )
        assert blocks(trove) == before
        trove.ask(UPDATE, id=connector, input={"config": {**changed, "secretAccessKey": "new-secret"}})
        (after,) = blocks(trove)
        assert "AKIA-OLD" in after.values()
        assert "new-secret" in after.values()
        assert "old-secret" not in after.values()

    def test_settings_without_secrets_leave_the_sign_in(self, trove: Trove) -> None:
        """Replacing the settings does not sign a connector out."""
        connector = trove.cloud(S3, "s3")
        before = blocks(trove)
        trove.ask(UPDATE, id=connector, input={"config": {"bucket": "cars"}})
        assert blocks(trove) == before

    @pytest.mark.parametrize(
        "name", ["apiKey", "api_key", "token", "integration_token", "clientSecret", "password"]
    )
    def test_secrets_of_a_pushed_connector_are_not_kept(self, trove: Trove, name: str) -> None:
        """Nothing here needs them: only the mark stays, at any depth."""
        connector = trove.local(
            config={name: "hidden-one", "deep": [{name: "hidden-two"}], "tokens_per_page": 5}
        )
        config = shown(trove, connector, "config")["config"]
        assert config == {name: MARK, "deep": [{name: MARK}], "tokens_per_page": 5}
        assert b"hidden-" not in (trove.house.home / "catchment.db").read_bytes()


class TestUpdate:
    def test_only_what_is_given_changes(self, trove: Trove) -> None:
        """Absent fields stay; null takes description and schedule away."""
        connector = trove.local(config={"a": 1}, description="old", schedule="daily")
        changed = trove.ask(UPDATE, id=connector, input={"name": "New"})["updateConnector"]
        assert (changed["name"], changed["description"], changed["config"]) == ("New", "old", {"a": 1})
        assert changed["schedule"] == "daily"
        changed = trove.ask(UPDATE, id=connector, input={"description": None, "schedule": None})[
            "updateConnector"
        ]
        assert (changed["name"], changed["description"], changed["schedule"]) == ("New", None, None)

    def test_settings_are_replaced_whole(self, trove: Trove) -> None:
        """What the new settings do not name is gone."""
        connector = trove.local(config={"a": 1, "b": 2})
        changed = trove.ask(UPDATE, id=connector, input={"config": {"b": 3}})["updateConnector"]
        assert changed["config"] == {"b": 3}

    @pytest.mark.parametrize(
        "values", [{"schedule": "every 5 minutes"}, {"config": {"items": 5}}, {"config": []}, {"name": " "}]
    )
    def test_one_wrong_part_leaves_all_as_it_was(self, trove: Trove, values: Any) -> None:
        """Everything is looked at before anything changes."""
        connector = trove.cloud(items("a"), schedule="daily", description="old")
        fields = "name description schedule config"
        before = shown(trove, connector, fields)
        new = {"name": "New", "description": "new", "schedule": "every hour", **values}
        assert trove.code(UPDATE, id=connector, input=new) == "BAD_USER_INPUT"
        assert shown(trove, connector, fields) == before


class TestRuns:
    def test_a_sync_brings_documents_and_leaves_a_run(self, trove: Trove) -> None:
        """Triggered, worked off, and shown with its figures."""
        connector = trove.cloud(items("a.txt", "b.txt"))
        run = trove.ask(TRIGGER, id=connector)["triggerSync"]
        assert run["trigger"] == "manual"
        found = shown(
            trove,
            connector,
            "documentCount lastSyncedAt errorMessage cursor"
            " syncRuns { id status documentsSynced documentsSkipped durationMs errorMessage cursor trigger }",
        )
        assert found["documentCount"] == 2
        assert found["lastSyncedAt"].endswith("Z")
        (listed,) = found["syncRuns"]
        assert listed["id"] == run["id"]
        assert (listed["status"], listed["documentsSynced"], listed["documentsSkipped"]) == ("SUCCESS", 2, 0)
        assert listed["durationMs"] >= 0
        trove.ask(TRIGGER, id=connector)
        newest = shown(trove, connector, "syncRuns(limit: 1) { documentsSynced documentsSkipped }")[
            "syncRuns"
        ]
        assert newest == [{"documentsSynced": 0, "documentsSkipped": 2}]

    def test_a_queued_run_shows_as_running_and_holds_the_connector(self, trove: Trove) -> None:
        """A second trigger is a CONFLICT; a cancel ends it, and a second cancel finds nothing."""
        trove.wire.works = False
        connector = trove.cloud(items("a"))
        run = trove.ask(TRIGGER, id=connector)["triggerSync"]
        assert (run["status"], run["completedAt"]) == ("RUNNING", None)
        assert trove.code(TRIGGER, id=connector) == "CONFLICT"
        assert trove.ask(CANCEL, id=connector)["cancelSync"] == {"id": run["id"], "status": "CANCELLED"}
        assert trove.code(CANCEL, id=connector) == "CONFLICT"

    def test_what_is_pushed_to_has_nothing_to_fetch(self, trove: Trove) -> None:
        """A trigger is a CONFLICT."""
        assert trove.code(TRIGGER, id=trove.local()) == "CONFLICT"

    def test_a_provider_without_code_is_a_conflict(self, trove: Trove) -> None:
        """Its connectors can be made, and not synced."""
        connector = trove.cloud({"channels": []}, "slack")
        assert trove.code(TRIGGER, id=connector) == "CONFLICT"

    def test_a_failed_sync_shows_as_an_error(self, trove: Trove) -> None:
        """The run is ERROR with its message, and so is the connector until a good sync."""
        connector = trove.cloud(items(*(f"{n}.txt" for n in range(30))))
        trove.ask(TRIGGER, id=connector)
        trove.ask(UPDATE, id=connector, input={"config": {"items": []}})
        trove.ask(TRIGGER, id=connector)
        found = shown(
            trove, connector, "status errorMessage documentCount syncRuns(limit: 1) { status errorMessage }"
        )
        assert found["status"] == "ERROR"
        assert found["errorMessage"]
        assert found["documentCount"] == 30
        assert found["syncRuns"][0]["status"] == "ERROR"
        assert found["syncRuns"][0]["errorMessage"]

    def test_a_paused_connector_is_left_alone(self, trove: Trove) -> None:
        """Pausing twice is the same as once; a trigger is refused; resuming makes it active again."""
        connector = trove.cloud(items("a"))
        for _ in range(2):
            assert trove.ask(PAUSE, id=connector)["pauseConnector"] == {"status": "PAUSED"}
        assert trove.code(TRIGGER, id=connector) == "CONFLICT"
        for _ in range(2):
            assert trove.ask(RESUME, id=connector)["resumeConnector"] == {"status": "ACTIVE"}
        assert trove.ask(TRIGGER, id=connector)["triggerSync"]["id"]


class TestDelete:
    @pytest.mark.parametrize("pulled", [True, False])
    def test_a_removed_connector_takes_its_documents_along(self, trove: Trove, pulled: bool) -> None:
        """Both are gone from every list and from search; a second removal finds nothing."""
        connector = trove.cloud(items("a.txt")) if pulled else trove.local()
        if pulled:
            trove.ask(TRIGGER, id=connector)
        else:
            trove.texts(connector, a="words of a.txt")
        assert trove.ask('{ search(query: "words") { totalMatches } }')["search"]["totalMatches"] == 1
        assert trove.ask(DELETE, id=connector) == {"deleteConnector": True}
        data = trove.ask(
            "{ connectors { id } documents { totalCount } stats { totalDocuments totalConnectors }"
            ' search(query: "words") { totalMatches } }'
        )
        assert data["connectors"] == []
        assert data["documents"]["totalCount"] == data["search"]["totalMatches"] == 0
        assert data["stats"] == {"totalDocuments": 0, "totalConnectors": 0}
        assert trove.code(DELETE, id=connector) == "NOT_FOUND"


class TestWho:
    @pytest.mark.parametrize("query", [UPDATE, DELETE, PAUSE, RESUME, TRIGGER, CANCEL])
    def test_writes_need_a_role_and_a_tenant(self, trove: Trove, query: str) -> None:
        """A viewer is FORBIDDEN; for others the connector does not exist."""
        connector = trove.local()
        more = {"input": {"name": "mine"}} if query == UPDATE else {}
        assert trove.code(query, token="viewer", id=connector, **more) == "FORBIDDEN"
        assert trove.code(query, token="outsider", id=connector, **more) == "NOT_FOUND"
        assert trove.code(query, token="other", id=connector, **more) == "NOT_FOUND"
        assert trove.code(query, id="nonsense", **more) == "NOT_FOUND"
        assert shown(trove, connector, "name status") == {"name": "Notes", "status": "ACTIVE"}

    def test_an_editor_may_write_where_it_has_a_role(self, trove: Trove) -> None:
        """In the default space; a member without a role in it may make nothing there."""
        assert trove.local(token="editor")
        assert trove.code(CREATE, token="viewer", input=wish()) == "FORBIDDEN"
        assert trove.code(CREATE, token="outsider", input=wish()) == "FORBIDDEN"

    def test_others_see_nothing(self, trove: Trove) -> None:
        """Lists, figures and search of another tenant, or without a role in the space, are empty."""
        connector = trove.local()
        trove.texts(connector, a="words")
        query = (
            "query Q($id: ID!) { connector(id: $id) { id } connectors { id } recent { id }"
            " documents { totalCount } stats { totalDocuments totalConnectors recentSyncRuns { id } }"
            ' search(query: "words") { totalMatches } }'
        )
        for token in ("other", "outsider"):
            assert trove.ask(query, token=token, id=connector) == {
                "connector": None,
                "connectors": [],
                "recent": [],
                "documents": {"totalCount": 0},
                "stats": {"totalDocuments": 0, "totalConnectors": 0, "recentSyncRuns": []},
                "search": {"totalMatches": 0},
            }
        assert trove.ask(query, token="viewer", id=connector)["stats"]["totalDocuments"] == 1

    def test_lists_are_narrowed_by_type_and_status(self, trove: Trove) -> None:
        """Each filter alone, and both."""
        notes, fixture = trove.local(), trove.cloud(items("a"))
        trove.ask(PAUSE, id=notes)
        for arguments, expected in (
            ('connectorType: "fixture"', [fixture]),
            ("status: PAUSED", [notes]),
            ('connectorType: "fixture", status: PAUSED', []),
            ("status: null", [notes, fixture]),
        ):
            found = trove.ask(f"{{ connectors({arguments}) {{ id }} }}")["connectors"]
            assert [one["id"] for one in found] == expected
