"""Connectors of the ZenSearch face: made, merged, hidden, tried and removed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.api.zensearch.conftest import Zen, items, refused

KEYS = {"accessKeyId": "AKIA-jewel", "secretAccessKey": "crown-jewel"}
S3: dict[str, Any] = {
    "type": "s3",
    "config": {"bucket": "my-documents", "region": "us-east-1", "prefix": "/documents/"},
    "credentials": KEYS,
}
SEVEN = {"id", "name", "type", "status", "collection", "lastSync", "createdAt"}


class TestCreate:
    def test_shows_everything_but_what_it_signs_in_with(self, zen: Zen) -> None:
        """201 with the seven fields of the documentation and the settings; no secret, here or later."""
        answer = zen.create(**S3)
        assert answer.status_code == 201
        made = answer.json()["data"]
        assert set(made) >= SEVEN
        assert (made["type"], made["status"], made["lastSync"]) == ("s3", "active", None)
        assert made["config"] == S3["config"]
        shown = zen.ask("GET", f"/connectors/{made['id']}")
        for text in (answer.text, shown.text, zen.ask("GET", "/connectors").text):
            assert "jewel" not in text
            assert "credentials" not in text

    def test_takes_a_secret_out_of_the_settings(self, zen: Zen) -> None:
        """Keys that were written among the settings are credentials, and shown nowhere."""
        made = zen.create(type="s3", config={"bucket": "my-bucket", **KEYS})
        assert made.status_code == 201
        assert made.json()["data"]["config"] == {"bucket": "my-bucket"}
        (block,) = [one for kind, one in zen.wire.blocks.items() if "s3" in kind[0]]
        assert "crown-jewel" in str(block["data"])

    def test_waits_for_a_sign_in_where_one_is_needed(self, zen: Zen) -> None:
        """A type of the browser's sign-in is inactive without credentials, and cannot be synced."""
        made = zen.create(type="google_drive").json()["data"]
        assert (made["type"], made["status"]) == ("google_drive", "inactive")
        path = f"/connectors/{made['id']}"
        error = refused(zen.ask("POST", f"{path}/sync"), 409, "conflict")
        assert error["details"]["status"] == "inactive"
        refused(zen.ask("POST", f"{path}/refresh-permissions"), 409, "conflict")
        refused(zen.ask("PUT", path, json={"enabled": False}), 409, "conflict")

    @pytest.mark.parametrize(
        ("change", "field"),
        [
            ({"type": "carrier_pigeon"}, "type"),
            ({"config": {}}, "config.bucket"),
            ({"config": {"bucket": "my-bucket", "region": 7}}, "config.region"),
            ({"credentials": {"accessKeyId": "x"}}, "credentials.secret_access_key"),
            ({"collection": "col_nope"}, "collection"),
            ({"name": ""}, "name"),
            ({"name": " "}, "name"),
            ({"name": "x" * 256}, "name"),
            ({"schedule": "now and then"}, "schedule"),
            ({"config": "b"}, "config"),
        ],
    )
    def test_names_the_field_that_cannot_be(self, zen: Zen, change: dict[str, Any], field: str) -> None:
        """400 with details.field, and nothing is made."""
        error = refused(zen.create(**{**S3, **change}), 400, "invalid_request")
        assert error["details"]["field"] == field
        assert zen.data("GET", "/connectors") == []

    def test_stores_nothing_while_prefect_is_away(self, zen: Zen) -> None:
        """503 with a time to try again; reading goes on."""
        zen.wire.is_away = True
        answer = zen.create(**S3)
        refused(answer, 503, "unavailable")
        assert int(answer.headers["retry-after"]) >= 1
        assert zen.data("GET", "/connectors") == []

    def test_is_for_editors(self, zen: Zen) -> None:
        """A viewer is refused before the body is judged; who has no role in the space is, too."""
        refused(zen.ask("POST", "/connectors", token="viewer", json={"name": 1}), 403, "forbidden")
        refused(zen.create(token="outsider", **S3), 403, "forbidden")
        refused(zen.create(token="other_tenant", **S3), 400, "invalid_request", "collection")


class TestList:
    def test_filters_pages_and_counts(self, zen: Zen) -> None:
        """Newest first; total is of what the filters let pass."""
        for number in range(3):
            zen.create(type="fixture", name=f"f{number}", config={"items": []})
        zen.create(**{**S3, "name": "bucket"})
        answer = zen.ask("GET", "/connectors", params={"type": "fixture", "limit": "2", "offset": "1"}).json()
        assert [one["name"] for one in answer["data"]] == ["f1", "f0"]
        assert {key: answer["meta"][key] for key in ("total", "limit", "offset")} == {
            "total": 3,
            "limit": 2,
            "offset": 1,
        }
        assert [one["name"] for one in zen.data("GET", "/connectors")] == ["bucket", "f2", "f1", "f0"]
        assert zen.data("GET", "/connectors", params={"status": "paused"}) == []
        assert zen.data("GET", "/connectors", params={"collection": "col_nope"}) == []
        assert len(zen.data("GET", "/connectors", params={"collection": zen.collection})) == 4

    @pytest.mark.parametrize(
        "query", [{"limit": "101"}, {"limit": "0"}, {"offset": "-1"}, {"offset": "9" * 30}, {"status": "odd"}]
    )
    def test_refuses_what_is_out_of_range(self, zen: Zen, query: dict[str, str]) -> None:
        """400, never a clamped number."""
        refused(zen.ask("GET", "/connectors", params=query), 400, "invalid_request", next(iter(query)))

    def test_leaves_out_spaces_without_a_role(self, zen: Zen) -> None:
        """Who has no role in the space sees none of its connectors; a foreign team knows of none."""
        path = zen.fixture("a.md")
        assert zen.data("GET", "/connectors", token="outsider") == []
        refused(zen.ask("GET", path, token="outsider"), 403, "forbidden")
        assert zen.data("GET", "/connectors", token="other_tenant") == []
        refused(zen.ask("GET", path, token="other_tenant"), 404, "not_found")
        assert len(zen.data("GET", "/connectors", token="viewer")) == 1


class TestChange:
    def test_merges_settings_one_level_deep_and_null_takes_one_away(self, zen: Zen) -> None:
        """What is not named stays; a value is replaced whole."""
        path = f"/connectors/{zen.create(**S3).json()['data']['id']}"
        changed = zen.data("PUT", path, json={"name": "New", "config": {"prefix": "/new/", "region": None}})
        assert changed["config"] == {"bucket": "my-documents", "prefix": "/new/"}
        assert changed["name"] == "New"
        refused(
            zen.ask("PUT", path, json={"config": {"bucket": None}}), 400, "invalid_request", "config.bucket"
        )
        assert zen.data("GET", path)["config"] == {"bucket": "my-documents", "prefix": "/new/"}

    def test_takes_every_spelling_of_a_setting(self, zen: Zen) -> None:
        """A setting that comes in another spelling replaces the old value, and does not stand beside it."""
        made = zen.create(
            type="confluence", config={"instanceUrl": "https://old.example", "spaceKeys": ["A"]}
        )
        path = f"/connectors/{made.json()['data']['id']}"
        changed = zen.data("PUT", path, json={"config": {"instance_url": "https://new.example"}})
        assert changed["config"] == {"instanceUrl": "https://new.example", "spaceKeys": ["A"]}

    def test_cannot_move_a_connector_or_change_its_type(self, zen: Zen) -> None:
        """400; saying what is true already is no change."""
        path = zen.fixture("a.md")
        refused(zen.ask("PUT", path, json={"type": "s3"}), 400, "invalid_request", "type")
        other = zen.data("POST", "/collections", json={"name": "Other"})["id"]
        refused(zen.ask("PUT", path, json={"collection": other}), 400, "invalid_request", "collection")
        assert zen.data("PUT", path, json={"type": "fixture", "collection": zen.collection})

    def test_pauses_and_goes_on(self, zen: Zen) -> None:
        """A connector that is not enabled is paused, and answers a sync with 409."""
        path = zen.fixture("a.md")
        assert zen.data("PUT", path, json={"enabled": False})["status"] == "paused"
        error = refused(zen.ask("POST", f"{path}/sync"), 409, "conflict")
        assert error["details"]["status"] == "paused"
        assert zen.data("PUT", path, json={"enabled": True})["status"] == "active"
        assert zen.sync(path)["status"] == "completed"

    def test_schedules_and_stops_scheduling(self, zen: Zen) -> None:
        """Null takes the schedule away; a change that does not speak of it leaves it."""
        path = zen.fixture("a.md")
        assert zen.data("PUT", path, json={"schedule": "hourly"})["schedule"] == "hourly"
        assert zen.data("PUT", path, json={"name": "x"})["schedule"] == "hourly"
        refused(zen.ask("PUT", path, json={"schedule": "often"}), 400, "invalid_request", "schedule")
        assert zen.data("PUT", path, json={"schedule": None})["schedule"] is None

    def test_activates_with_credentials(self, zen: Zen) -> None:
        """Credentials are replaced whole, and end the set-up."""
        path = f"/connectors/{zen.create(type='github', config={'repos': ['a/b']}).json()['data']['id']}"
        answer = zen.ask("PUT", path, json={"credentials": {"token": "crown-jewel"}})
        assert answer.json()["data"]["status"] == "active"
        assert "jewel" not in answer.text
        bad = zen.ask("PUT", path, json={"credentials": {"tokenn": "crown-jewel"}, "name": "changed"})
        refused(bad, 400, "invalid_request", "credentials.tokenn")
        assert "jewel" not in bad.text
        assert zen.data("GET", path)["name"] == "Docs"

    def test_changes_nothing_while_prefect_is_away(self, zen: Zen) -> None:
        """503, and everything is as it was."""
        path = zen.fixture("a.md")
        before = zen.data("GET", path)
        zen.wire.is_away = True
        bodies: list[dict[str, Any]] = [
            {"name": "x"},
            {"enabled": False},
            {"config": {"items": []}},
            {"schedule": "hourly"},
        ]
        for body in bodies:
            refused(zen.ask("PUT", path, json=body), 503, "unavailable")
        assert zen.data("GET", path) == before

    def test_is_for_the_editor_who_made_it_and_for_admins(self, zen: Zen) -> None:
        """An editor changes its own connectors, an admin any."""
        own, foreign = zen.fixture("a.md", token="editor"), zen.fixture("b.md")
        assert zen.data("PUT", own, token="editor", json={"name": "Mine"})["name"] == "Mine"
        refused(zen.ask("PUT", foreign, token="editor", json={"name": "Mine"}), 403, "forbidden")
        assert zen.data("PUT", own, json={"name": "Ours"})["name"] == "Ours"


class TestRemove:
    def test_takes_documents_with_it_and_is_for_admins(self, zen: Zen) -> None:
        """200 with a body; then it is unknown, and nothing of it is found."""
        path = zen.fixture("gauge.md", token="editor")
        zen.sync(path)
        document = zen.data("GET", f"{path}/documents")[0]["id"]
        refused(zen.ask("DELETE", path, token="editor"), 403, "forbidden")
        removed = zen.data("DELETE", path)
        assert removed == {"id": path.rpartition("/")[2], "deleted": True}
        for gone in (path, f"{path}/documents", f"/documents/{document}"):
            refused(zen.ask("GET", gone), 404, "not_found")
        assert zen.data("POST", "/search", json={"query": "gauge"})["total"] == 0


class TestTry:
    def test_a_source_that_refuses_is_a_result(self, zen: Zen) -> None:
        """200 either way, with the time it took; a stored connector is tried as it stands."""
        path = zen.fixture("a.md", refuse=True)
        found = zen.data("POST", f"{path}/test")
        assert found["success"] is False
        assert found["message"]
        assert isinstance(found["latencyMs"], int)
        assert zen.data("POST", "/connectors/test", json={"type": "fixture"})["success"] is True

    def test_a_malformed_request_is_none(self, zen: Zen) -> None:
        """400 for settings that cannot be, and for an unknown type; nothing is stored."""
        for body, field in (({"type": "s3"}, "config.bucket"), ({"type": "x"}, "type"), ({}, "type")):
            refused(zen.ask("POST", "/connectors/test", json=body), 400, "invalid_request", field)
        assert zen.data("GET", "/connectors") == []

    def test_a_type_without_its_code_says_so(self, zen: Zen) -> None:
        """What is not installed cannot be reached, nor synced."""
        body: dict[str, Any] = {"type": "slack", "config": {}, "credentials": {"bot_token": "t"}}
        assert "not installed" in zen.data("POST", "/connectors/test", json=body)["message"]
        path = f"/connectors/{zen.create(**body).json()['data']['id']}"
        refused(zen.ask("POST", f"{path}/sync"), 409, "conflict")


def test_ids_are_taken_in_every_spelling(zen: Zen) -> None:
    """With prefix or without, with hyphens or without, in capitals."""
    bare = zen.fixture("a.md").rpartition("_")[2]
    hyphenated = f"{bare[:8]}-{bare[8:12]}-{bare[12:16]}-{bare[16:20]}-{bare[20:]}"
    for spelling in (bare, hyphenated, f"conn_{hyphenated}", bare.upper()):
        assert zen.data("GET", f"/connectors/{spelling}")["id"] == f"conn_{bare}"


def test_what_a_face_makes_may_not_read_this_machine(zen: Zen, tmp_path: Path) -> None:
    """A folder outside of the configured roots is refused, be it tried or synced."""
    (tmp_path / "secret.txt").write_text("the jewel")
    body: dict[str, Any] = {"type": "folder", "config": {"path": str(tmp_path)}}
    assert zen.data("POST", "/connectors/test", json=body)["success"] is False
    made = zen.create(**body)
    if made.status_code == 201:
        path = f"/connectors/{made.json()['data']['id']}"
        assert zen.data("POST", f"{path}/test")["success"] is False
        assert zen.sync(path)["status"] == "failed"
    assert zen.data("POST", "/search", json={"query": "jewel"})["total"] == 0


def test_settings_of_the_source_are_data(zen: Zen) -> None:
    """A change of what a fixture holds is seen by the next sync."""
    path = zen.fixture("a.md")
    zen.sync(path)
    zen.data("PUT", path, json={"config": {"items": items("a.md", version="2", text="more")}})
    assert zen.sync(path)["progress"]["indexed"] == 1
