"""The routes of this face, put together."""

from fastapi import APIRouter

from catchment.api.zensearch import collections, connectors, documents, files, jobs, oauth, search

PARTS = (connectors, jobs, documents, files, oauth, collections, search)
router = APIRouter(routes=[route for part in PARTS for route in part.router.routes])
