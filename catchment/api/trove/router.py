"""The routes of this face, put together."""

from fastapi import APIRouter

from catchment.api.limits import FaceRoute

router = APIRouter(route_class=FaceRoute)
