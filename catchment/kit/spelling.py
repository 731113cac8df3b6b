"""The names of settings in their two spellings: with underscores in Python, as each client likes outside."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from pydantic import AliasChoices, BaseModel


def snake_case(name: str) -> str:
    """Write a name with underscores between its words (``accessKeyId`` as ``access_key_id``)."""
    return re.sub(r"(?<=[a-z0-9])([A-Z])", r"_\1", name).lower()


def spellings(name: str) -> tuple[str, ...]:
    """Return the ways in which a name may be written, the given one first, each once."""
    first, *others = name.split("_")
    camel_case = first + "".join(part.title() for part in others)
    return tuple(dict.fromkeys((name, snake_case(name), camel_case)))


def spelled(model: type[BaseModel], values: Mapping[str, Any]) -> dict[str, Any]:
    """Write names as a model has them, where it has them with underscores between the words."""
    known = model.model_fields
    fitted = {}
    for name, value in values.items():
        other = snake_case(name)
        fitted[other if name not in known and other in known and other not in values else name] = value
    return fitted


def in_one_spelling(model: type[BaseModel], values: Mapping[str, Any]) -> dict[str, Any]:
    """Write names as the model writes them, whichever of their aliases was sent."""
    written = {}
    for name, field in model.model_fields.items():
        known = field.validation_alias
        aliases = known.choices if isinstance(known, AliasChoices) else [known, field.alias]
        own = field.serialization_alias or name
        written.update({alias: own for alias in (name, *aliases) if isinstance(alias, str)})
    return {written.get(name, name): value for name, value in spelled(model, values).items()}
