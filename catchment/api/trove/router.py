"""The routes of this face, put together."""

from fastapi import APIRouter

from catchment.api.limits import FaceRoute
from catchment.api.trove import graphql, metadata, push

router = APIRouter(route_class=FaceRoute)
for part in (push.router, graphql.router, metadata.router):
    router.include_router(part)
