"""Made-up requests to the Trove face, and to what belongs to no face: see `tests.support.made_up`."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.made_up import MadeUp, made_up
from tests.support.operations import operations

MEANT = {"POST /graphql": "a text must be a query of the schema"}
"""Operations that refuse some requests which fit the document, and what a JSON Schema cannot say of them."""


@pytest.fixture(scope="module")
def face(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MadeUp]:
    with made_up(tmp_path_factory.mktemp("made_up"), "/openapi.json") as made:
        yield made


@pytest.mark.parametrize("operation", [one.label for one in operations() if one.face in ("trove", "house")])
def test_answers_are_what_the_document_tells(face: MadeUp, operation: str) -> None:
    """No bug, no status, shape or header but those of the document; what does not fit it is refused.

    At least one request was carried out, so that more was tried than the door.
    """
    answers = face.try_out(operation, reads_meaning=operation in MEANT)
    assert min(answers) < 400, answers
