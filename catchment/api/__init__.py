"""The HTTP API: one application, three faces over the same services.

How a request travels: `edge` gives it an id and its place (a slash at the end and ``/api-proxy`` are taken
off), `cors` answers browsers, `auth` lets nobody in without a token (before any body is read), `limits`
counts the body, then the router of a face handles it. Whatever goes wrong on the way is a `base.Problem`, and
the face that owns the path says it in its own words: unknown routes, wrong methods, bad shapes and bugs too.

A face is a package with ``face.py`` (its `base.Face`, and how it wraps what it says) and ``router.py`` (its
``router``, an APIRouter with ``route_class=FaceRoute``). Its handlers are plain functions::

    @router.get("/api/v1/connectors/{connector_id}")
    def show(request: Request, connector_id: str, context: ContextOf, caller: CallerOf) -> Any:
        row = reach.connector(context, caller, ids.read("connector", connector_id))
        return envelope(request, render(row))

- `requests`: `CallerOf`, `ContextOf`, `settings`, `base_url`, `request_id`. On a face's `open_paths` there
  may be no caller: ask for `ContextOf` alone there, and sign in by `services.access.authenticate`.
- Routes are declared with their whole path, without a slash at the end; Aimable's without ``/api-proxy``.
- Raise the errors of `catchment.core.errors`; or `errors.invalid(message, "body", "config", "bucket")` where
  a part of the request is to blame; or `errors.Refused(Problem(...))`. No handler builds an error body.
- `ids`: `read(kind, text)` takes every spelling and raises NotFound; `prefixed`, `hyphenated`.
- `limits`: `LenientRoute` where bad texts are a part's own fault, `check_files`, `UPLOADS` (its paths).
- `services.reach`: what a caller may see, by id; other tenants' things are not found.
- `services.idempotency.once`: does work once for a key, and gives the first answer again.
"""
