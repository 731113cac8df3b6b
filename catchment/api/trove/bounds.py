"""What one GraphQL document may ask for, looked at before it is validated: that alone can be made costly.

Counts go through fragments as often as they are spread, so that a few lines cannot stand for millions of
fields; each fragment is counted once and remembered.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import isinf

from graphql import (
    DocumentNode,
    FieldNode,
    FloatValueNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    IntValueNode,
    ListValueNode,
    Node,
    ObjectValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    StringValueNode,
)
from msgspec import Struct
from strawberry.extensions import SchemaExtension

from catchment.sync.cleaning import is_fit

MOST_TOKENS = 10_000
MOST_DEPTH = 10
MOST_ALIASES = 15
MOST_FIELDS = 400
MOST_OPERATIONS = 20
MOST_VALUE_DEPTH = 64
MOST_DIGITS = 400
_UNCOUNTED = 10**9
_INTROSPECTION = ("__schema", "__type")


class _Cost(Struct, frozen=True):
    """What a selection comes to, with everything it spreads."""

    depth: int = 0
    aliases: int = 0
    fields: int = 0


class Bounds(SchemaExtension):
    """Refuses a document that asks for too much, or holds a value that cannot be stored."""

    def on_operation(self) -> Iterator[None]:
        """Let the parser give up early."""
        self.execution_context.parse_options["max_tokens"] = MOST_TOKENS
        yield

    def on_parse(self) -> Iterator[None]:
        """Look at the document as soon as it is there."""
        yield
        document = self.execution_context.graphql_document
        if document is not None:
            is_open = len(_operations(document)) > 1 and not self.execution_context.context.operation
            # Left alone, the first one would be carried out.
            message = "Several operations need operationName." if is_open else excess(document)
            if message is not None:
                self.execution_context.pre_execution_errors = [GraphQLError(message)]


def excess(document: DocumentNode) -> str | None:
    """Return why a document asks for too much, or None."""
    operations = _operations(document)
    if len(document.definitions) > MOST_OPERATIONS:
        return f"A document has at most {MOST_OPERATIONS} operations and fragments."
    fragments = {
        one.name.value: one for one in document.definitions if isinstance(one, FragmentDefinitionNode)
    }
    counted: dict[str, _Cost] = {}
    for definition in (*fragments.values(), *operations):
        cost = _cost(definition.selection_set, fragments, counted, ())
        # A fragment is as deep as the place it is spread in lets it be.
        if definition in operations and cost.depth > MOST_DEPTH:
            return f"A query may be at most {MOST_DEPTH} levels deep."
        if cost.aliases > MOST_ALIASES:
            return f"A query may have at most {MOST_ALIASES} aliases."
        if cost.fields > MOST_FIELDS:
            return f"A query may ask for at most {MOST_FIELDS} fields."
    return _unfit_value(document)


def _operations(document: DocumentNode) -> list[OperationDefinitionNode]:
    return [one for one in document.definitions if isinstance(one, OperationDefinitionNode)]


def _cost(
    selection: SelectionSetNode | None,
    fragments: Mapping[str, FragmentDefinitionNode],
    counted: dict[str, _Cost],
    within: tuple[str, ...],
) -> _Cost:
    depth = aliases = fields = 0
    for node in selection.selections if selection is not None else ():
        if isinstance(node, FragmentSpreadNode):
            below = _cost_of_fragment(node.name.value, fragments, counted, within)
        elif isinstance(node, FieldNode):
            inner = _cost(node.selection_set, fragments, counted, within)
            # What describes the schema is bounded by a rule of validation of its own.
            deep = 0 if node.name.value in _INTROSPECTION else inner.depth + 1
            below = _Cost(deep, inner.aliases + (node.alias is not None), inner.fields + 1)
        else:
            below = _cost(getattr(node, "selection_set", None), fragments, counted, within)
        depth = max(depth, below.depth)
        aliases += below.aliases
        fields += below.fields
    return _Cost(depth, min(aliases, _UNCOUNTED), min(fields, _UNCOUNTED))


def _cost_of_fragment(
    name: str,
    fragments: Mapping[str, FragmentDefinitionNode],
    counted: dict[str, _Cost],
    within: tuple[str, ...],
) -> _Cost:
    if name in within or name not in fragments:
        return _Cost()  # validation says what is wrong with it
    if name not in counted:
        counted[name] = _cost(fragments[name].selection_set, fragments, counted, (*within, name))
    return counted[name]


def _unfit_value(document: DocumentNode) -> str | None:
    """Look at every literal, without recursion."""
    waiting: list[tuple[Node, int]] = [(document, 0)]
    while waiting:
        node, depth = waiting.pop()
        if isinstance(node, StringValueNode) and not is_fit(node.value):
            return "A text holds NUL or half of a surrogate pair, which cannot be stored."
        if isinstance(node, IntValueNode) and len(node.value) > MOST_DIGITS:
            return "A number has too many digits."
        if isinstance(node, FloatValueNode) and (len(node.value) > MOST_DIGITS or isinf(float(node.value))):
            return "A number is too large."
        depth += isinstance(node, ListValueNode | ObjectValueNode)
        if depth > MOST_VALUE_DEPTH:
            return f"A value may be at most {MOST_VALUE_DEPTH} levels deep."
        for key in node.keys:
            part = getattr(node, key, None)
            if isinstance(part, Node):
                waiting.append((part, depth))
            elif isinstance(part, list | tuple):
                waiting.extend((one, depth) for one in part if isinstance(one, Node))
    return None
