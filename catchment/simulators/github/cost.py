"""What a question in GraphQL costs: by the lists that it asks for, before anything is looked up."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    IntValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    VariableNode,
)

MOST_PER_PAGE = 100
MOST_NODES = 500_000
_ROWS = {"nodes", "edges"}
_LISTS = {"discussions", "comments", "replies", "labels"}


class Refusal(Exception):
    """The question is not even begun with."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


def cost_of(document: DocumentNode, variables: Mapping[str, Any]) -> tuple[int, int]:
    """Return the points and the most things that a question asks for.

    Raises:
        Refusal: A list has no bounds, too wide ones, or all together are too many.
    """
    counting = _Counting(document, variables)
    for one in document.definitions:
        if isinstance(one, OperationDefinitionNode):
            counting.count(one.selection_set, 1)
    if counting.nodes > MOST_NODES:
        raise Refusal(
            "MAX_NODE_LIMIT_EXCEEDED",
            f"This query requests up to {counting.nodes} possible nodes which exceeds the maximum limit of"
            f" {MOST_NODES}.",
        )
    return max(1, round(counting.requests / 100)), counting.nodes


class _Counting:
    def __init__(self, document: DocumentNode, variables: Mapping[str, Any]) -> None:
        self._variables = variables
        self._fragments = {
            one.name.value: one for one in document.definitions if isinstance(one, FragmentDefinitionNode)
        }
        self.requests = self.nodes = 0

    def count(self, chosen: SelectionSetNode | None, times: int) -> None:
        for one in chosen.selections if chosen is not None else ():
            if isinstance(one, FragmentSpreadNode):
                self.count(self._fragments[one.name.value].selection_set, times)
            elif not isinstance(one, FieldNode):
                self.count(one.selection_set, times)  # type: ignore[attr-defined]
            else:
                size = self._size(one)
                if size:
                    self.requests += times
                    self.nodes += times * size
                self.count(one.selection_set, times * (size or 1))

    def _size(self, one: FieldNode) -> int:
        given = [
            argument.value for argument in one.arguments or () if argument.name.value in ("first", "last")
        ]
        name = one.name.value
        if not given:
            rows = {getattr(inner, "name", None) for inner in getattr(one.selection_set, "selections", ())}
            if name in _LISTS and {node.value for node in rows if node is not None} & _ROWS:
                raise Refusal(
                    "MISSING_PAGINATION_BOUNDARIES",
                    f"You must provide a `first` or `last` value to properly paginate the `{name}`"
                    " connection.",
                )
            return 0
        value = given[0]
        size = 0
        if isinstance(value, VariableNode):
            size = int(self._variables.get(value.name.value) or 0)
        elif isinstance(value, IntValueNode):
            size = int(value.value)
        if size > MOST_PER_PAGE:
            raise Refusal(
                "EXCESSIVE_PAGINATION",
                f"Requesting {size} records on the `{name}` connection exceeds the `first` limit of"
                f" {MOST_PER_PAGE} records.",
            )
        return size
