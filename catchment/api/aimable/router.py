"""The routes of this face, put together."""

from fastapi import APIRouter

from catchment.api.aimable import collections, connectors, principals, signing_in, spaces, syncs
from catchment.api.limits import FaceRoute

router = APIRouter(route_class=FaceRoute)
for part in (connectors, syncs, collections, spaces, principals, signing_in):
    router.include_router(part.router)
