"""Settings and credentials as they are typed: ``key=value`` words, hidden prompts, JSON."""

from __future__ import annotations

import json
import os
import sys
import types
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Union, get_args, get_origin

from catchment.core.errors import ConfigRejected, UsageError
from catchment.core.secrets import without_secrets

if TYPE_CHECKING:
    from pydantic import BaseModel
    from pydantic.fields import FieldInfo

CREDENTIAL_PREFIX = "CATCHMENT_CREDENTIAL_"


def settings(model: type[BaseModel], words: Sequence[str]) -> dict[str, Any]:
    """Read ``key=value`` words for the fields of a model; a list is one word with commas, or several words.

    Raises:
        ConfigRejected: A word is no pair, or the model has no such field.
    """
    read: dict[str, Any] = {}
    for word in words:
        name, equals, text = word.partition("=")
        if not equals:
            raise ConfigRejected(
                f"{without_secrets(word)!r} is no setting.",
                setting="set",
                remedy="Write it as --set name=value.",
            )
        field = _field(model, name)
        value = _value(field, text)
        if isinstance(value, list) and isinstance(read.get(name), list):
            read[name] = [*read[name], *value]
        else:
            read[name] = value
    return read


def unset(model: type[BaseModel], names: Sequence[str]) -> dict[str, None]:
    """Return None for each setting that is to have its default again.

    Raises:
        ConfigRejected: The model has no such field.
    """
    for name in names:
        _field(model, name)
    return dict.fromkeys(names)


def _field(model: type[BaseModel], name: str) -> FieldInfo:
    from catchment.kit.spelling import snake_case

    field = model.model_fields.get(name) or model.model_fields.get(snake_case(name))
    if field is None:
        raise ConfigRejected(
            f"There is no setting {name!r}.",
            setting=name,
            remedy=f"There are: {', '.join(sorted(model.model_fields))}.",
        )
    return field


def _value(field: FieldInfo, text: str) -> Any:
    kinds = _kinds(field.annotation)
    if list in kinds and not text.lstrip().startswith("["):
        return [part.strip() for part in text.split(",") if part.strip()]
    if kinds <= {str, type(None)} and not text.startswith('"'):
        return text  # A path called 2024 is no number.
    try:
        return json.loads(text)
    except ValueError:
        return text


def _kinds(annotation: Any) -> set[Any]:
    """Return the plain types that an annotation admits."""
    origin = get_origin(annotation)
    if origin in (Union, types.UnionType):
        return {kind for part in get_args(annotation) for kind in _kinds(part)}
    return {origin or annotation}


def credentials(model: type[BaseModel], *, from_stdin: bool) -> dict[str, Any]:
    """Read credentials from standard input (one JSON object), or from environment and hidden prompts.

    A field that the environment names (``CATCHMENT_CREDENTIAL_<FIELD>``) is not asked for. They are
    never taken from the command line, which other users of the machine can see.

    Raises:
        UsageError: Standard input holds no JSON object, or a field is missing and nobody can be asked.
    """
    if from_stdin:
        return _from_stdin()
    values = _from_environment(model, os.environ)
    missing = [
        name for name, field in model.model_fields.items() if name not in values and field.is_required()
    ]
    optional = [
        name for name, field in model.model_fields.items() if name not in values and not field.is_required()
    ]
    if sys.stdin.isatty():
        values.update(_asked(model, missing, optional if not values else []))
    elif missing:
        names = ", ".join(f"{CREDENTIAL_PREFIX}{name.upper()}" for name in missing)
        raise UsageError(
            "There is nobody to ask for the credentials.",
            remedy=f"Set {names}, or give a JSON object on standard input with --stdin.",
        )
    return values


def _from_stdin() -> dict[str, Any]:
    try:
        read = json.loads(sys.stdin.read())
    except ValueError:
        read = None
    if not isinstance(read, dict):
        # The text is not repeated: it may hold a secret.
        raise UsageError("Standard input holds no JSON object.", remedy='Give one such as {"token": "..."}.')
    return read


def _from_environment(model: type[BaseModel], environment: Mapping[str, str]) -> dict[str, Any]:
    named = {name: f"{CREDENTIAL_PREFIX}{name.upper()}" for name in model.model_fields}
    return {
        name: _value(model.model_fields[name], environment[variable])
        for name, variable in named.items()
        if variable in environment
    }


def _asked(model: type[BaseModel], missing: Sequence[str], optional: Sequence[str]) -> dict[str, Any]:
    from getpass import getpass

    values: dict[str, Any] = {}
    for name in [*missing, *optional]:
        field = model.model_fields[name]
        hint = "" if name in missing else ", empty for none"
        text = getpass(f"{field.title or name}{hint}: ")
        if text:
            values[name] = _value(field, text)
    return values
