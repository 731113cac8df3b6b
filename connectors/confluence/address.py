"""How the address of a site or space in Cloud becomes settings."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import unquote, urlsplit

from catchment.kit import SourceAddress
from connectors.confluence.config import identity

_SPACE = re.compile(r"/wiki/(?:spaces|display)/([^/]+)(?:/.*)?")


def address(text: str) -> SourceAddress | None:
    """Recognise ``https://<site>.atlassian.net/wiki`` and addresses of spaces and pages below it.

    An address elsewhere may be anything, so that sites at Data Center are made by their settings.
    """
    parts = urlsplit(text.strip())
    host = (parts.hostname or "").lower()
    if parts.scheme not in ("http", "https") or not host.endswith(".atlassian.net"):
        return None
    if parts.path.rstrip("/") not in ("", "/wiki") and not parts.path.startswith("/wiki/"):
        return None
    config: dict[str, Any] = {"instance_url": f"https://{host}"}
    name = host.removesuffix(".atlassian.net")
    if found := _SPACE.fullmatch(parts.path):
        key = unquote(found[1])
        config["space_keys"] = [key]
        name = f"{name}-{key.lstrip('~')}"
    shown = f"https://{host}/wiki" + (f"/spaces/{config['space_keys'][0]}" if "space_keys" in config else "")
    return SourceAddress(name=name, config=config, identity=identity(config), display=shown)
