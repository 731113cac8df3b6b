"""Requests that schemathesis makes up from a document of the API, and what must hold for each answer.

Half of them fit the document and half do not. Most of them find what they name (see `Living`), so that not
only the doors of a face are tried. Nothing leaves the process.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zlib import crc32

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import CHECKS, load_all_checks
from schemathesis.generation.hypothesis.builder import HypothesisTestConfig, HypothesisTestMode, create_test
from schemathesis.python import asgi

from catchment.sync.cleaning import is_fit
from tests.support.faces import served
from tests.support.living import Living
from tests.support.steady import steady

EXAMPLES = 200
"""Requests that are made up for each operation, beside those that try each part of it once."""
_MANY = settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    # The store lives on from one request to the next: a smaller one would meet another state.
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
_SEED = 20_250_614
_CONFIG = {
    # Without the literals of our sources: a line changed anywhere would make other requests up.
    "analysis": {"constants": {"enabled": False}},
    # Credentials are the test's; that they are needed is a check of its own.
    "generation": {"with-security-parameters": False},
}
_AUTH_ASKED = 1
"""So many successes of an operation are tried again without credentials, and with false ones everywhere."""


class _Door:
    """Hands requests on to the application; every second one comes by the proxy's prefix, where one is."""

    def __init__(self, app: Any, prefix: str) -> None:
        self._app = app
        self._prefix = prefix
        self._count = 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        self._count += 1
        if self._prefix and self._count % 2:
            scope = {**scope, "path": self._prefix + scope["path"]}
        await self._app(scope, receive, send)


@dataclass
class MadeUp:
    """A face that is served, and what requests to it are made up from."""

    schema: Any
    living: Living
    client: Any
    headers: dict[str, str]

    def try_out(self, label: str, *, reads_meaning: bool = False) -> Counter[int]:
        """Make requests up for an operation, and return how often which status came.

        Args:
            label: The operation, such as ``GET /health``.
            reads_meaning: Whether it refuses some requests that fit the document, for what they mean.

        Raises:
            FailureGroup: An answer is not what the document tells; the request is shown.
        """
        answers: Counter[int] = Counter()
        # What other operations left behind may be another thing by now than its name says.
        self.living.forget()

        def ask(case: Any) -> None:
            self.living.lead(case)
            response = case.call(session=self.client, headers=self.headers)
            self.living.met(case, response.status_code)
            answers[response.status_code] += 1
            case.validate_response(
                response,
                headers=self.headers,
                excluded_checks=_left_out(case, answers, reads_meaning=reads_meaning),
                transport_kwargs={"session": self.client, "headers": self.headers},
            )

        method, path = label.split()
        config = HypothesisTestConfig(
            project=self.schema.config,
            modes=list(HypothesisTestMode),
            explicit_settings=_MANY,
            settings=_MANY,
            seed=crc32(label.encode(), _SEED),
        )
        create_test(operation=self.schema[path][method], test_func=ask, config=config)()
        return answers


def _left_out(case: Any, answers: Counter[int], *, reads_meaning: bool) -> list[Any]:
    """Return the checks that cannot tell anything here.

    Those that need two people, or the history of a thing, find neither: `test_other_tenants` and `test_gone`
    have them.
    """
    names = ["object_level_authorization"]
    if reads_meaning or not _can_be_stored(case):
        names.append("positive_data_acceptance")
    if _names_files(case):
        names.append("negative_data_rejection")
    if sum(count for status, count in answers.items() if status < 300) > _AUTH_ASKED:
        names.append("ignored_auth")
    return [CHECKS.get_one(name) for name in names]


def _names_files(case: Any) -> bool:
    """Whether a form sends files: whatever was made up for them arrives as bytes, which are never wrong."""
    return isinstance(case.body, dict) and bool({"file", "files"} & set(case.body)) and _is_form(case)


def _is_form(case: Any) -> bool:
    return case.media_type == "multipart/form-data"


def _can_be_stored(case: Any) -> bool:
    """Whether no text in it is one that no database takes; a JSON Schema has no words for that."""
    waiting = [case.body, dict(case.query), dict(case.path_parameters)]
    while waiting:
        part = waiting.pop()
        if isinstance(part, dict):
            waiting += [*part, *part.values()]
        elif isinstance(part, list):
            waiting += part
        elif isinstance(part, str) and not is_fit(part):
            return False
    return True


@contextmanager
def made_up(home: Path, document_path: str, *, prefix: str = "") -> Iterator[MadeUp]:
    """Serve a home, and make requests up from a document of its API.

    Args:
        home: Where the store lies.
        document_path: Where the document is served.
        prefix: Another way to the same paths, which half of the requests take.
    """
    load_all_checks()
    with pytest.MonkeyPatch.context() as patch, served(home, patch) as face:
        steady(patch)
        config = schemathesis.Config.from_dict(_CONFIG)
        schema = schemathesis.openapi.from_dict(face.client.get(document_path).json(), config=config)
        schema.app = _Door(face.client.app, prefix)
        headers = {"Authorization": f"Bearer {face.variables['tok_admin']}"}
        with asgi.get_client(schema.app) as client:
            yield MadeUp(schema, Living(face), client, headers)
