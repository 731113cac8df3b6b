"""The routes of this face, put together."""

from fastapi import APIRouter

from catchment.api.limits import FaceRoute
from catchment.api.zensearch import collections, connectors, documents, files, jobs, oauth, search

router = APIRouter(route_class=FaceRoute)
for part in (connectors, jobs, documents, files, oauth, collections, search):
    router.include_router(part.router)
