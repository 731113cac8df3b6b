"""The routes of this face, put together."""

from fastapi import APIRouter

from catchment.api.aimable import collections, connectors, principals, signing_in, spaces, syncs

PARTS = (connectors, syncs, collections, spaces, principals, signing_in)
router = APIRouter(routes=[route for part in PARTS for route in part.router.routes])
