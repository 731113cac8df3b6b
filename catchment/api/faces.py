"""Which face a path belongs to; the path alone decides."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from catchment.api.aimable.face import FACE as AIMABLE
from catchment.api.base import Face
from catchment.api.trove.face import FACE as TROVE
from catchment.api.zensearch.face import FACE as ZENSEARCH

FACES: tuple[Face, ...] = (TROVE, ZENSEARCH, AIMABLE)
"""In this order they are asked: Aimable owns what is left of /v1."""
HOUSE = Face()
"""What belongs to no face: health, metrics, the documents of the API."""


def face_of(path: str) -> Face:
    """Return the face that a path belongs to."""
    return next((face for face in FACES if face.owns(path)), HOUSE)


def face_of_scope(scope: Mapping[str, Any]) -> Face:
    """Return the face that a request belongs to."""
    return face_of(scope["path"])
