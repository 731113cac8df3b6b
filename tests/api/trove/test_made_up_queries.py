"""GraphQL documents that nobody thought of, made up from the schema, for each field of its roots.

Most of their ids and numbers are put right, so that what they ask for is carried out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any
from zlib import crc32

import pytest
import schemathesis
from graphql import (
    EnumValueNode,
    FieldNode,
    IntValueNode,
    StringValueNode,
    ValueNode,
    Visitor,
    parse,
    parse_value,
    print_ast,
    visit,
)
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from catchment.api.trove.graphql import SCHEMA
from tests.support.faces import served
from tests.support.living import FIXTURE, Living
from tests.support.steady import steady

EXAMPLES = 60
_SEED = 20_250_614
_LEFT_ALONE = 4
_VALUES = (
    "{}",
    '{a: [1, {b: "two"}]}',
    '{url: "https://ann:pw@wiki.example.org"}',
    "[]",
    '"x"',
    "null",
    "1e400",
)
CODES = {"BAD_USER_INPUT", "NOT_FOUND", "CONFLICT", "FORBIDDEN"}
"""What a request can be told that an admin sends while all parts work."""
IDS: Mapping[str, Callable[[Living], str]] = {
    "document": lambda living: living.read,
    "deleteDocument": lambda living: living.fresh(Living.document),
    "cancelSync": lambda living: living.fresh(Living.busy),
    **dict.fromkeys(
        ("deleteConnector", "updateConnector", "pauseConnector", "resumeConnector", "triggerSync"),
        lambda living: living.fresh(Living.connector),
    ),
}
"""What an id means where it is not just a connector's."""
_USES_UP = ("deleteDocument", "cancelSync", "deleteConnector", "triggerSync")
ROOTS = [
    name
    for one in SCHEMA.as_str().split("\n\n")
    if one.startswith(("type Query ", "type Mutation "))
    for name in (line.split("(")[0].split(":")[0].strip() for line in one.splitlines()[1:-1])
]


@pytest.fixture(scope="module")
def living(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Living]:
    with pytest.MonkeyPatch.context() as patch, served(tmp_path_factory.mktemp("home"), patch) as face:
        steady(patch)
        yield Living(face)


@pytest.fixture(scope="module")
def made_up() -> Any:
    schemathesis.graphql.scalar("JSON", st.sampled_from(_VALUES).map(parse_value))
    return schemathesis.graphql.from_file(SCHEMA.as_str())


def _literal(value: Any) -> str:
    """Write a value as GraphQL does: names of fields have no quotes."""
    if isinstance(value, dict):
        return "{" + " ".join(f"{name}: {_literal(one)}" for name, one in value.items()) + "}"
    if isinstance(value, list):
        return "[" + " ".join(map(_literal, value)) + "]"
    return f'"{value}"'


_BETTER_ARGUMENTS: Mapping[str, ValueNode] = {
    "contentType": StringValueNode(value="text"),
    "sortBy": StringValueNode(value="title"),
    "sortOrder": StringValueNode(value="asc"),
    "query": StringValueNode(value="words"),
}
_BETTER_FIELDS: Mapping[str, ValueNode] = {
    "connectorType": StringValueNode(value="fixture"),
    "execution": EnumValueNode(value="CLOUD"),
    "schedule": StringValueNode(value="daily"),
    "contentType": StringValueNode(value="text"),
    "config": parse_value(_literal(FIXTURE)),
}


class Lead(Visitor):
    """Puts what is there in the place of ids, and numbers and texts that are taken in the place of others."""

    def __init__(self, root: str, living: Living) -> None:
        super().__init__()
        self._id = IDS.get(root, lambda one: one.pushed)
        self._living = living

    def enter_argument(self, node: Any, *_: Any) -> Any:
        return self._led(node, _BETTER_ARGUMENTS)

    def enter_object_field(self, node: Any, *_: Any) -> Any:
        return self._led(node, _BETTER_FIELDS)

    def _led(self, node: Any, better: Mapping[str, ValueNode]) -> Any:
        """Return a node with a better value, or None, which leaves it as it is."""
        name, value = node.name.value, node.value
        if name in ("id", "connectorId") and isinstance(value, StringValueNode):
            return replace(node, value=StringValueNode(value=self._id(self._living)))
        if name in ("limit", "offset") and isinstance(value, IntValueNode):
            return replace(node, value=IntValueNode(value=str(1 + abs(int(value.value)) % 50)))
        return replace(node, value=better[name]) if name in better else None


@pytest.mark.parametrize("root", ROOTS)
def test_answers_are_data_or_errors_that_a_client_can_mend(living: Living, made_up: Any, root: str) -> None:
    """No bug and no status but two; data wherever there is no error; some documents are carried out."""
    (operation,) = (one.ok() for one in made_up.get_all_operations() if one.ok().label.endswith(f".{root}"))
    came: Counter[str] = Counter()
    living.forget()

    @seed(crc32(root.encode(), _SEED))
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy())
    def ask(case: Any) -> None:
        text = case.body if isinstance(case.body, str) else case.body["query"]
        if crc32(text.encode("utf-8", "replace")) % _LEFT_ALONE:
            text = print_ast(visit(parse(text), Lead(root, living)))
        answer = living.query(text)
        told = answer.json()
        assert answer.status_code in (200, 400), text
        codes = {error["extensions"]["code"] for error in told.get("errors", ())}
        assert codes <= CODES, (text, told)
        assert codes or _name(text) in told["data"], text
        assert (answer.status_code == 200) or told["data"] is None
        if not codes and root in _USES_UP:
            living.forget()
        came.update(codes or {"data"})

    ask()
    assert came["data"] > EXAMPLES / 10, came


def _name(text: str) -> str:
    """Return what the first field of a document is called in its answer."""
    definition: Any = parse(text).definitions[0]
    field: FieldNode = definition.selection_set.selections[0]
    return field.alias.value if field.alias else field.name.value
