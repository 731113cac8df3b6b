"""Credentials blocks, made from each provider's own credentials model."""

from __future__ import annotations

from functools import cache

from prefect.blocks.core import Block
from pydantic import create_model

from catchment.kit import registry


@cache
def credentials_blocks() -> tuple[type[Block], ...]:
    """Return a block type for each known provider that signs in, fields as the provider has them."""
    return tuple(
        _block(slug, model.display_name, model.credentials_model)
        for slug in registry.known()
        if (model := registry.provider(slug)).credentials_model is not None
    )


def _block(slug: str, display_name: str, model: type | None) -> type[Block]:
    assert model is not None
    fields = {name: (field.annotation, field) for name, field in model.model_fields.items()}  # type: ignore[attr-defined]
    name = "".join(part.capitalize() for part in slug.split("-")) + "Credentials"
    block: type[Block] = create_model(name, __base__=Block, __module__="catchment.blocks", **fields)  # type: ignore[call-overload]
    block._block_type_name = f"Catchment {display_name} credentials"
    block._block_type_slug = f"catchment-{slug}-credentials"
    block._description = f"How Catchment signs in to {display_name}."
    return block
