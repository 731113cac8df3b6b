"""Ids as the vendor has them for everything."""

from __future__ import annotations

import base64


def node_id(kind: str, number: int) -> str:
    """Return the id of a thing of some kind."""
    return f"{kind}_{base64.urlsafe_b64encode(f'{number:012}'.encode()).decode().rstrip('=')}"
