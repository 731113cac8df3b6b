"""Made-up requests to the Aimable face: see `tests.support.made_up`."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.made_up import MadeUp, made_up
from tests.support.operations import operations

CONNECTORS = "/v1/spaces/{space_id}/collections/{collection_id}/connectors"
POSITION = "a cursor is one that this list gave out"
BLANKS = "a name is more than blanks, of which Unicode has more than a pattern knows"
MEANT = {
    **{
        f"GET {path}": POSITION
        for path in (
            CONNECTORS,
            f"{CONNECTORS}/{{connector_id}}/browse",
            f"{CONNECTORS}/{{connector_id}}/sync",
            "/v1/spaces/{space_id}/collections",
            "/v1/spaces/{space_id}/members",
            "/v1/me/memberships",
            "/v1/admin/connector-providers",
        )
    },
    f"POST {CONNECTORS}": "a schedule can be read, settings fit the provider",
    f"PATCH {CONNECTORS}/{{connector_id}}": "a schedule can be read, settings fit the provider",
    "POST /v1/spaces": BLANKS,
    "POST /v1/spaces/{space_id}/collections": BLANKS,
    "PATCH /v1/collections/{collection_id}": BLANKS,
    "POST /v1/spaces/{space_id}/members/{principal_id}/roles": "a role is named, by its id or by its key",
    "POST /v1/spaces/{space_id}/collections/{collection_id}/documents": "a file is named files or file",
    "POST /v1/files": "how many files are taken is a setting",
    "GET /v1/connectors/oauth/{provider_slug}/authorize": "an address to return to is an allowed one",
    "GET /v1/connectors/oauth/{provider_slug}/callback": "a state is one that was given out",
}
"""Operations that refuse some requests which fit the document, and what a JSON Schema cannot say of them."""


@pytest.fixture(scope="module")
def face(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MadeUp]:
    with made_up(tmp_path_factory.mktemp("made_up"), "/openapi/aimable.json", prefix="/api-proxy") as made:
        yield made


@pytest.mark.parametrize("operation", [one.label for one in operations() if one.face == "aimable"])
def test_answers_are_what_the_document_tells(face: MadeUp, operation: str) -> None:
    """No bug, no status, shape or header but those of the document; what does not fit it is refused.

    At least one request was carried out, so that more was tried than the door.
    """
    answers = face.try_out(operation, reads_meaning=operation in MEANT)
    assert min(answers) < 400, answers
