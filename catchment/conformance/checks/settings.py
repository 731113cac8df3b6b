"""That settings and credentials are described, checked, and kept readable for later versions."""

from __future__ import annotations

import re
from typing import Any

from pydantic import BaseModel, SecretBytes, SecretStr, ValidationError

from catchment.conformance.check import Skip, check
from catchment.conformance.stage import Stage, shown
from catchment.kit.config import SourceConfig

UNKNOWN = "a_setting_that_nobody_knows"
LEAST_CANARY = 12
"""Characters of a secret of the world: shorter ones might stand somewhere by chance."""
_SECRET_NAME = re.compile(
    r"(token|secret|password|passphrase|api_?key|private_?key|access_?key)$", re.IGNORECASE
)


@check("settings-schema", "Settings have a schema that describes each, and an unknown one is refused.")
def settings_schema(stage: Stage) -> None:
    """Look at the model, and let it read a misspelt setting."""
    model = stage.connector.config_model
    schema = model.model_json_schema()
    own = schema["properties"].keys() - SourceConfig.model_fields.keys()
    bare = [name for name in own if not (_said(schema, name, "title") and _said(schema, name, "description"))]
    stage.expect(not bare, f"without title or description: {shown(bare)}")
    stage.read_config(stage.world.config())
    try:
        stage.read_config({**stage.world.config(), UNKNOWN: 1})
    except ValidationError:
        return
    stage.expect(False, "a setting that nobody knows is taken without a word")


def _said(schema: dict[str, Any], name: str, what: str) -> bool:
    return bool(schema["properties"][name].get(what))


@check(
    "older-settings-load",
    "Settings that older versions saved still load, and so do those without any extras.",
)
def older_settings(stage: Stage) -> None:
    """Read each, write it, and read it again."""
    for config in (stage.world.config(), *stage.world.old_configs):
        try:
            read = stage.read_config(config)
            again = stage.read_config(read.model_dump(mode="json"))
        except ValidationError as error:
            fields = [".".join(map(str, one["loc"])) for one in error.errors(include_input=False)]
            stage.expect(False, f"settings of before are refused for {shown(fields)}")
        stage.expect(read == again, "what was read and written is read as something else")


@check("secrets-marked", "Every secret is typed as one, so that no print of credentials shows it.")
def secrets_marked(stage: Stage) -> None:
    """By name and by value."""
    model = stage.connector.credentials_model
    if model is None:
        raise Skip("there are no credentials")
    plain = [name for name in model.model_fields if _SECRET_NAME.search(name) and not _is_marked(model, name)]
    stage.expect(not plain, f"not typed as secrets: {shown(plain)}")
    read = stage.read_credentials(stage.world.credentials())
    if read is None:
        raise Skip("the world signs in to nothing")
    canaries = canaries_of(stage)
    stage.expect(canaries, "the world's credentials hold no secret")
    short = [value for value in canaries if len(value) < LEAST_CANARY]
    stage.expect(not short, f"secrets of the world are shorter than {LEAST_CANARY} characters")
    told = f"{read!r} {read} {read.model_dump_json()} {read.model_dump()}"
    stage.expect(
        not [value for value in canaries if value in told], "a print of the credentials shows a secret"
    )


def _is_marked(model: type[BaseModel], name: str) -> bool:
    return "SecretStr" in str(model.model_fields[name].annotation) or "SecretBytes" in str(
        model.model_fields[name].annotation
    )


def canaries_of(stage: Stage) -> list[str]:
    """Return every secret that signs in to the world, as it stands in its credentials now."""
    found = []
    for values in (stage.world.credentials(), stage.house.credentials):
        read = stage.read_credentials(values)
        for _, value in read or ():
            if isinstance(value, SecretStr):
                found.append(value.get_secret_value())
            elif isinstance(value, SecretBytes):
                found.append(value.get_secret_value().decode("latin-1"))
    return [value for value in dict.fromkeys(found) if value]
