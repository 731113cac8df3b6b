"""Made-up requests to the ZenSearch face: see `tests.support.made_up`."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.made_up import MadeUp, made_up
from tests.support.operations import operations

MEANT = {
    "POST /api/v1/tokens": "a name is more than blanks, of which Unicode has more than a pattern knows",
    "POST /api/v1/connectors": "a type is known, a collection is there, a schedule can be read",
    "POST /api/v1/connectors/test": "a type is known",
    "POST /api/v1/connectors/{connector_id}/sync": "only full may come with a filter that names nothing",
    "DELETE /api/v1/connectors/{connector_id}/files": "body and query together name at least one file",
    "POST /api/v1/connectors/{connector_id}/files/upload": "how many files are taken is a setting",
    "POST /api/v1/oauth/init": "a provider has a sign-in in the browser, an address is allowed",
    "GET /api/v1/oauth/callback/{provider}": "a state is one that was given out",
    "POST /api/v1/search": "connectors and collections are there, and a range begins with a day or a moment",
    "POST /api/v1/search/faceted": "as for the search without facets",
}
"""Operations that refuse some requests which fit the document, and what a JSON Schema cannot say of them."""


@pytest.fixture(scope="module")
def face(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MadeUp]:
    with made_up(tmp_path_factory.mktemp("made_up"), "/openapi/zensearch.json") as made:
        yield made


@pytest.mark.parametrize("operation", [one.label for one in operations() if one.face == "zensearch"])
def test_answers_are_what_the_document_tells(face: MadeUp, operation: str) -> None:
    """No bug, no status, shape or header but those of the document; what does not fit it is refused.

    At least one request was carried out, so that more was tried than the door.
    """
    answers = face.try_out(operation, reads_meaning=operation in MEANT)
    assert min(answers) < 400, answers
