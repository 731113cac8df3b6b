"""The push of documents over HTTP; the service behind it has its own tests."""

from __future__ import annotations

import json
from typing import Any

import pytest

from catchment.core.settings import ApiSettings
from tests.api.trove.conftest import Trove, items

CURSOR = "query Q($id: ID!) { connector(id: $id) { cursor documentCount } }"
DOCUMENT = {"external_id": "a", "text": "some words"}


def test_an_answer_has_every_field_that_clients_read(trove: Trove) -> None:
    """Numbers, errors and the echo of the cursor, with the numbers adding up to what was sent."""
    sent = [DOCUMENT, DOCUMENT, {"external_id": "blank", "text": " "}, {"external_id": "b", "text": "more"}]
    answer = trove.push(trove.local(), *sent, cursor="page-3-of-10")
    assert answer.status_code == 200
    assert answer.json() == {
        "documentsIndexed": 2,
        "documentsSkipped": 1,
        "errors": [{"external_id": "blank", "error": "Text content is empty"}],
        "cursor": "page-3-of-10",
        "transcriptionsQueued": 0,
    }


def test_a_recording_is_accepted_with_202_and_shown_without_text(trove: Trove) -> None:
    """What waits for its transcription is there, has no text yet, and is found by no search."""
    connector = trove.local()
    answer = trove.push(
        connector, {"external_id": "ep", "title": "Episode", "audio_url": "https://e.org/1.mp3"}
    )
    assert answer.status_code == 202
    assert answer.json()["transcriptionsQueued"] == 1
    data = trove.ask(
        "{ documents { nodes { externalId fullText wordCount previewText contentType } } "
        'search(query: "Episode") { totalMatches } }'
    )
    assert data["documents"]["nodes"] == [
        {
            "externalId": "ep",
            "fullText": None,
            "wordCount": None,
            "previewText": None,
            "contentType": "transcript",
        }
    ]
    assert data["search"]["totalMatches"] == 0


@pytest.mark.parametrize(
    "body",
    [
        [],
        "text",
        {},
        {"connector_id": 5, "documents": [DOCUMENT]},
        {"connector_id": "ID", "documents": []},
        {"connector_id": "ID", "documents": {}},
        {"connector_id": "ID", "documents": [DOCUMENT] * 51},
        {"connector_id": "ID", "documents": ["text"]},
        {"connector_id": "ID", "documents": [{"text": "no id"}]},
        {"connector_id": "ID", "documents": [DOCUMENT], "cursor": 7},
        {"connector_id": "ID", "documents": [DOCUMENT], "cursor": "x" * 4097},
    ],
)
def test_a_broken_envelope_is_a_400_that_a_client_can_read(trove: Trove, body: Any) -> None:
    """The error has the fields of success too, and nothing is stored."""
    connector = trove.local()
    if isinstance(body, dict) and body.get("connector_id") == "ID":
        body = {"cursor": "new", **body, "connector_id": connector}
    answer = trove.post("/api/sync/documents", body)
    assert answer.status_code == 400
    told = answer.json()
    assert isinstance(told["error"], str)
    assert told["errors"] == [{"external_id": None, "error": told["error"]}]
    assert (told["documentsIndexed"], told["documentsSkipped"]) == (0, 0)
    assert trove.ask(CURSOR, id=connector)["connector"] == {"cursor": None, "documentCount": 0}


@pytest.mark.parametrize("raw", [b"{not json", b"", b"\xff\xfe", b"NaN", b'{"a": NaN}', b"[" * 5000])
def test_a_body_that_is_no_json_is_a_400(trove: Trove, raw: bytes) -> None:
    """Whatever the bytes are, the answer is the face's own."""
    headers = {"Authorization": f"Bearer {trove.tokens['admin']}", "Content-Type": "application/json"}
    answer = trove.client.post("/api/sync/documents", content=raw, headers=headers)
    assert answer.status_code == 400
    assert isinstance(answer.json()["errors"], list)


def test_texts_that_no_database_takes_cost_the_others_nothing(trove: Trove) -> None:
    """Halves of surrogate pairs and NUL are cleaned out of texts, and refuse an id."""
    documents = [
        {"external_id": "a", "text": "one \ud800 two\0"},
        {"external_id": "b\0", "text": "x"},
        {"external_id": "c", "text": "y", "metadata": {"\udc00": "\ud800"}},
    ]
    raw = json.dumps({"connector_id": trove.local(), "documents": documents})
    headers = {"Authorization": f"Bearer {trove.tokens['admin']}", "Content-Type": "application/json"}
    answer = trove.client.post("/api/sync/documents", content=raw, headers=headers)
    assert answer.status_code == 200
    assert answer.json()["documentsIndexed"] == 2
    assert len(answer.json()["errors"]) == 1


class TestWho:
    def test_another_tenants_connector_does_not_exist(self, trove: Trove) -> None:
        """404, as for an id that nobody has; the same in every spelling."""
        connector = trove.local()
        for name in (connector, f"conn_{connector}", "nobody", "0" * 32):
            answer = trove.push(name, DOCUMENT, token="other")
            assert answer.status_code == 404, name
            assert isinstance(answer.json()["errors"], list)
        assert trove.push(f"conn_{connector}", DOCUMENT).status_code == 200

    def test_a_viewer_is_forbidden(self, trove: Trove) -> None:
        """403, and nothing is stored."""
        connector = trove.local()
        assert trove.push(connector, DOCUMENT, token="viewer").status_code == 403
        assert trove.ask(CURSOR, id=connector)["connector"]["documentCount"] == 0

    def test_a_connector_in_a_space_without_a_role_does_not_exist(self, trove: Trove) -> None:
        """A member of the tenant without a role in the space neither pushes nor sees."""
        connector = trove.local()
        assert trove.push(connector, DOCUMENT, token="outsider").status_code == 404

    def test_nobody_is_told_where_to_sign_in(self, trove: Trove) -> None:
        """401 names the metadata."""
        answer = trove.push(trove.local(), DOCUMENT, token="bad")
        assert answer.status_code == 401
        assert "oauth-protected-resource" in answer.headers["www-authenticate"]


class TestWhere:
    def test_what_fetches_by_itself_takes_no_pushes(self, trove: Trove) -> None:
        """400: mixing would break the detection of deletions."""
        assert trove.push(trove.cloud(items("a")), DOCUMENT).status_code == 400

    def test_a_stale_cursor_is_a_409_and_stores_nothing(self, trove: Trove) -> None:
        """`cursor_before` compares, and an absent cursor is null."""
        connector = trove.local()
        assert trove.push(connector, DOCUMENT, cursor="1", cursor_before=None).status_code == 200
        late = trove.push(connector, {"external_id": "b", "text": "x"}, cursor="2", cursor_before=None)
        assert late.status_code == 409
        assert isinstance(late.json()["errors"], list)
        assert trove.ask(CURSOR, id=connector)["connector"] == {"cursor": "1", "documentCount": 1}
        assert trove.push(connector, {"external_id": "b", "text": "x"}, cursor_before="1").status_code == 200

    def test_pushes_go_on_while_prefect_is_away(self, trove: Trove) -> None:
        """Making a connector that is pushed to, pushing, pausing and removing need no Prefect."""
        trove.wire.is_away = True
        connector = trove.local()
        assert trove.push(connector, DOCUMENT).status_code == 200
        assert trove.ask("mutation M($id: ID!) { pauseConnector(id: $id) { status } }", id=connector)
        assert trove.ask("mutation M($id: ID!) { deleteConnector(id: $id) }", id=connector)

    def test_upsert_takes_new_content(self, trove: Trove) -> None:
        """A connector that asks for it takes changed texts, and skips equal ones."""
        connector = trove.local(config={"documentSemantics": "upsert"})
        trove.texts(connector, a="first words")
        assert (
            trove.push(connector, {"external_id": "a", "text": "first words"}).json()["documentsSkipped"] == 1
        )
        trove.texts(connector, a="second words")
        assert trove.ask("{ documents { nodes { fullText } } }")["documents"]["nodes"] == [
            {"fullText": "second words"}
        ]


def test_a_body_that_is_too_large_is_a_413(trove: Trove) -> None:
    """The body is counted while it arrives, and the error is the face's own."""
    assert ApiSettings().push_bytes == 32 * 1024 * 1024
    trove.client.app.state.settings.push_bytes = 2000  # type: ignore[attr-defined]
    answer = trove.push(trove.local(), {"external_id": "a", "text": "x" * 3000})
    assert answer.status_code == 413
    assert isinstance(answer.json()["errors"], list)
