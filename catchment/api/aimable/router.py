"""The routes of this face, put together."""

from fastapi import APIRouter

from catchment.api.aimable import connectors, syncs
from catchment.api.limits import FaceRoute

router = APIRouter(route_class=FaceRoute)
for part in (connectors, syncs):
    router.include_router(part.router)
