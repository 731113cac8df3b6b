"""The routes of this face, put together."""

from fastapi import APIRouter

from catchment.api.trove import graphql, metadata, push

router = APIRouter(routes=[*push.router.routes, *graphql.router.routes, *metadata.router.routes])
