"""Which server the command speaks to instead of this machine's own store, read from the environment."""

from __future__ import annotations

import os
from collections.abc import Mapping

from msgspec import Struct

from catchment.core.discreet import Discreet

URL, TOKEN = "CATCHMENT_SERVER_URL", "CATCHMENT_SERVER_TOKEN"


class ServerSettings(Discreet, Struct, frozen=True):
    """A server, and how to sign in there.

    Attributes:
        url: Its address, such as ``http://127.0.0.1:8377``; None means this machine's own store.
            ``CATCHMENT_SERVER_URL``.
        token: What ``catchment token add`` showed there. ``CATCHMENT_SERVER_TOKEN``. Never shown.
    """

    unseen = frozenset({"token"})

    url: str | None = None
    token: str = ""

    @classmethod
    def read(cls, environ: Mapping[str, str] = os.environ) -> ServerSettings:
        """Read the settings; an empty value is as good as none."""
        return cls(url=environ.get(URL, "").strip() or None, token=environ.get(TOKEN, "").strip())
