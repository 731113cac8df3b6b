"""Collections of the ZenSearch face."""

from __future__ import annotations

import re

import pytest

from catchment.api.zensearch.bodies import MORE_THAN_BLANKS
from tests.api.zensearch.conftest import Zen, refused


def test_are_made_changed_counted_and_removed(zen: Zen) -> None:
    """A collection's life: what is not named stays, numbers follow its connectors, a full one stays."""
    answer = zen.ask("POST", "/collections", json={"name": "Weirs", "description": "of the river"})
    assert answer.status_code == 201
    made = answer.json()["data"]
    assert made["id"].startswith("col_")
    assert (made["documentCount"], made["connectorCount"], made["embeddingModel"]) == (0, 0, None)
    path = f"/collections/{made['id']}"
    body = {"items": [{"path": "a.md", "text": "gate", "version": "1"}]}
    created = zen.ask(
        "POST",
        "/connectors",
        json={"name": "x", "type": "fixture", "collection": made["id"], "config": body},
    )
    connector = f"/connectors/{created.json()['data']['id']}"
    zen.sync(connector)
    assert zen.data("GET", path)["documentCount"] == 1
    assert zen.data("POST", f"{path}/refresh-stats")["connectorCount"] == 1
    changed = zen.data("PUT", path, json={"name": "Gates"})
    assert (changed["name"], changed["description"]) == ("Gates", "of the river")
    refused(zen.ask("DELETE", path), 409, "conflict")
    zen.data("DELETE", connector)
    assert zen.data("DELETE", path) == {"id": made["id"], "deleted": True}
    refused(zen.ask("GET", path), 404, "not_found")


def test_are_listed_newest_first(zen: Zen) -> None:
    """With paging, as every list."""
    for name in ("one", "two"):
        zen.data("POST", "/collections", json={"name": name})
    answer = zen.ask("GET", "/collections", params={"limit": "2"}).json()
    assert [one["name"] for one in answer["data"]] == ["two", "one"]
    assert answer["meta"]["total"] == 3


def test_follow_roles(zen: Zen) -> None:
    """Viewers look, editors make, admins change and remove; others know of none."""
    path = f"/collections/{zen.collection}"
    assert zen.data("GET", path, token="viewer")["id"] == zen.collection
    refused(zen.ask("POST", "/collections", token="viewer", json={"name": "x"}), 403, "forbidden")
    made = zen.data("POST", "/collections", token="editor", json={"name": "x"})["id"]
    refused(zen.ask("PUT", f"/collections/{made}", token="editor", json={"name": "y"}), 403, "forbidden")
    refused(zen.ask("DELETE", f"/collections/{made}", token="editor"), 403, "forbidden")
    refused(zen.ask("GET", path, token="other_tenant"), 404, "not_found")
    refused(zen.ask("GET", path, token="outsider"), 403, "forbidden")
    assert zen.data("GET", "/collections", token="outsider") == []


def test_refuse_what_cannot_be(zen: Zen) -> None:
    """400 that names the field; the default collection stays."""
    for body, field in (({}, "name"), ({"name": ""}, "name"), ({"name": 7}, "name")):
        refused(zen.ask("POST", "/collections", json=body), 400, "invalid_request", field)
    path = f"/collections/{zen.collection}"
    refused(zen.ask("PUT", path, json={"embeddingModel": "other"}), 400, "invalid_request", "embeddingModel")
    refused(zen.ask("DELETE", path), 409, "conflict")


@pytest.mark.parametrize("blank", [" ", "\t", "\x1d", "\x85", "\u2003"])
def test_a_name_of_blanks_is_refused_as_the_document_says(zen: Zen, blank: str) -> None:
    """What counts as a blank is the same for both."""
    assert not re.search(MORE_THAN_BLANKS, blank)
    refused(zen.ask("POST", "/collections", json={"name": blank}), 400, "invalid_request", "name")
    path = f"/collections/{zen.collection}"
    refused(zen.ask("PUT", path, json={"name": blank}), 400, "invalid_request", "name")
    assert zen.data("PUT", path, json={"name": f"{blank}x"})["name"].strip() == "x"
