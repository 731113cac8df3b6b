"""What is left of version 1 in Cloud, and the API of Data Center, which is version 1 still."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote, urlencode

from catchment.simulators.confluence import cql
from catchment.simulators.confluence.cloud import Asked, moment, out_of_scope, webui
from catchment.simulators.confluence.world import Content, Space, World
from catchment.simulators.wire import Reply

if TYPE_CHECKING:
    from catchment.simulators.confluence.simulator import Confluence

_DOWNLOAD = re.compile(r"/wiki/rest/api/content/(\d+)/child/attachment/(?:att)?(\d+)/download")
_RESTRICTION = re.compile(r"(?:/wiki)?/rest/api/content/(\d+)/restriction/byOperation/read")
_MEMBERS = re.compile(r"/wiki/rest/api/group/([^/]+)/membersByGroupId")
_GROUP = re.compile(r"/rest/api/group/([^/]+)/member")
_SPACE = re.compile(r"/rest/api/space/([^/]+)(/permissions)?")
_ONE = re.compile(r"/rest/api/content/(?:att)?(\d+)")
_NESTED = re.compile(r"/rest/api/content/(\d+)/(child/attachment|descendant/comment|child/page)")
_FILE = re.compile(r"/download/attachments/(\d+)/[^/]+")
MOST = 500
NESTED = 25


def answer_cloud(asked: Asked) -> Reply:
    """Answer an address of version 1 that is still there in Cloud."""
    path = asked.path
    if found := _DOWNLOAD.fullmatch(path):
        if not asked.may("readonly:content.attachment:confluence"):
            return out_of_scope()
        return _redirect(asked, int(found[1]), int(found[2]))
    if found := _RESTRICTION.fullmatch(path):
        if not asked.may("read:confluence-content.all"):
            return out_of_scope()
        return _restrictions(asked, int(found[1]))
    if found := _MEMBERS.fullmatch(path):
        if not asked.may("read:confluence-groups"):
            return out_of_scope()
        return _members(asked, found[1], lambda user: _user(asked.world, user))
    return _missing(f"No resource at {path}")


def answer_data_center(asked: Asked, site: Confluence) -> Reply:
    """Answer an address of Data Center."""
    path = asked.path
    whole = {
        "/rest/api/space": _spaces,
        "/rest/api/content": _listing,
        "/rest/api/content/search": lambda asked: _search(asked, site),
        "/rest/api/user": _one_user,
    }
    if path in whole:
        return whole[path](asked)
    if found := _SPACE.fullmatch(path):
        return _one_space(asked, found[1], permissions=bool(found[2]))
    if found := _RESTRICTION.fullmatch(path):
        return _restrictions(asked, int(found[1]))
    if found := _NESTED.fullmatch(path):
        return _nested(asked, int(found[1]), found[2])
    if found := _ONE.fullmatch(path):
        return _one(asked, int(found[1]))
    if found := _GROUP.fullmatch(path):
        return _members(asked, found[1], lambda user: _dc_user(asked.world, user))
    if found := _FILE.fullmatch(path):
        return _file(asked, int(found[1]))
    return _missing(f"No resource at {path}")


def _missing(message: str) -> Reply:
    return Reply(404, {"statusCode": 404, "data": {"authorized": False, "valid": True}, "message": message})


def _bad(message: str) -> Reply:
    return Reply(400, {"statusCode": 400, "data": {"authorized": True, "valid": False}, "message": message})


def _redirect(asked: Asked, holder: int, id: int) -> Reply:
    from catchment.simulators.confluence.simulator import media_token

    one = asked.world.contents.get(id)
    if one is None or one.container_id != holder or one.status != "current" or not asked.sees(one):
        return _missing("No attachment found")
    # The store of files is another host in the world; here it is the same one under another name.
    host = asked.request.base_url.replace("127.0.0.1", "localhost")
    link = f"{host}/media/{id}/{one.version}?token={media_token(id, one.version)}"
    return Reply(302, None, {"Location": link})


def _file(asked: Asked, holder: int) -> Reply:
    name = unquote(asked.path.rpartition("/")[2])
    for one in asked.world.contents.values():
        facts = (one.kind, one.container_id, one.title, one.status)
        if facts == ("attachment", holder, name, "current") and asked.sees(one):
            return Reply(200, one.data, {"Content-Type": one.media_type})
    return _missing("No attachment found")


def _user(world: World, account: str) -> dict[str, Any]:
    return {
        "type": "known",
        "accountId": account,
        "accountType": "atlassian",
        "email": "",
        "publicName": world.users.get(account, account),
        "displayName": world.users.get(account, account),
    }


def _dc_user(world: World, account: str) -> dict[str, Any]:
    return {
        "type": "known",
        "username": account,
        "userKey": f"key-{account}",
        "displayName": world.users.get(account, account),
    }


def _restrictions(asked: Asked, id: int) -> Reply:
    one = asked.world.contents.get(id)
    if one is None or not asked.sees(one):
        return _missing(f"No content found with id : {id}")
    is_cloud = asked.path.startswith("/wiki")
    make = _user if is_cloud else _dc_user
    users = [make(asked.world, user) for user in sorted(one.read_users)]
    groups = [
        {"type": "group", "name": group, **({"id": group} if is_cloud else {})}
        for group in sorted(one.read_groups)
    ]
    start, limit = int(asked.text("start", "0")), int(asked.text("limit", "100"))
    body = {
        "operation": "read",
        "restrictions": {
            "user": _slice(users, start, limit),
            "group": _slice(groups, start, limit),
            "_expandable": {},
        },
        "_expandable": {"content": f"/rest/api/content/{id}"},
        "_links": {"self": f"{asked.base}/rest/api/content/{id}/restriction/byOperation/read"},
    }
    return Reply(200, body)


def _slice(rows: Sequence[Any], start: int, limit: int) -> dict[str, Any]:
    shown = list(rows[start : start + limit])
    return {"results": shown, "start": start, "limit": limit, "size": len(shown)}


def _members(asked: Asked, group: str, make: Callable[[str], dict[str, Any]]) -> Reply:
    members = asked.world.groups.get(unquote(group))
    if members is None:
        return _missing(f"No group with id: {group}")
    limit = int(asked.text("limit", "200"))
    if limit > 200:
        return _bad("limit cannot be greater than 200")
    return Reply(200, _paged(asked, [make(user) for user in members], limit))


def _paged(asked: Asked, rows: Sequence[Any], limit: int) -> dict[str, Any]:
    """Return a page by its place in the list, which is what version 1 has."""
    start = int(asked.text("start", "0"))
    body = _slice(rows, start, limit)
    links = {"base": asked.base, "context": ""}
    if start + limit < len(rows):
        others = [(name, value) for name, value in asked.request.pairs if name not in ("start", "limit")]
        rest = urlencode([*others, ("limit", limit), ("start", start + limit)])
        links["next"] = f"{asked.path.removeprefix('/wiki')}?{rest}"
    return {**body, "_links": links}


# -- Data Center ----------------------------------------------------------------------------------


def _one_user(asked: Asked) -> Reply:
    return Reply(200, _dc_user(asked.world, asked.text("key").removeprefix("key-")))


def _one(asked: Asked, id: int) -> Reply:
    one = asked.world.contents.get(id)
    statuses = asked.values("status") or ["current"]
    if one is None or not asked.sees(one) or not ({one.status, "any"} & set(statuses)):
        return _missing(f"No content found with id : ContentId{{id={id}}}")
    return Reply(200, content(asked, one))


def _one_space(asked: Asked, key: str, *, permissions: bool) -> Reply:
    space = next((one for one in asked.world.spaces.values() if one.key == key), None)
    if space is None or not asked.world.may_view_space(asked.viewer.account, space):
        return _missing(f"No space found with key : {key}")
    return Reply(200, _space_permissions(space) if permissions else _space(asked, space))


def _spaces(asked: Asked) -> Reply:
    keys, statuses = asked.values("spaceKey"), asked.values("status")
    found = [
        _space(asked, space)
        for space in asked.world.spaces.values()
        if asked.world.may_view_space(asked.viewer.account, space)
        and (not keys or space.key in keys)
        and (not statuses or space.status in statuses)
    ]
    return Reply(200, _paged(asked, found, min(int(asked.text("limit", "25")), MOST)))


def _space(asked: Asked, space: Space) -> dict[str, Any]:
    return {
        "id": space.id,
        "key": space.key,
        "name": space.name,
        "type": space.type,
        "status": space.status,
        "_links": {"webui": f"/display/{space.key}", "self": f"{asked.base}/rest/api/space/{space.key}"},
    }


def _space_permissions(space: Space) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for kind, name in space.readers:
        subject = (
            {"type": kind, "name": name} if kind == "group" else {"type": kind, "userKey": f"key-{name}"}
        )
        rows += [
            {
                "operation": {"targetType": "space", "operationKey": operation},
                "subject": subject,
                "spaceKey": space.key,
                "spaceId": space.id,
            }
            for operation in ("read", "export")
        ]
    return rows


def _listing(asked: Asked) -> Reply:
    key, kind = asked.text("spaceKey"), asked.text("type", "page")
    status = asked.text("status", "current")
    if kind not in ("page", "blogpost"):
        return _bad(f"Content type {kind} is not supported here")
    found = [
        one
        for one in asked.world.contents.values()
        if one.kind == kind
        and one.status == status
        and (not key or asked.world.spaces[one.space_id].key == key)
        and asked.sees(one)
    ]
    limit = min(int(asked.text("limit", "25")), MOST)
    page = _paged(asked, found, limit)
    page["results"] = [content(asked, one) for one in page["results"]]
    return Reply(200, page)


def _nested(asked: Asked, id: int, what: str) -> Reply:
    one = asked.world.contents.get(id)
    if one is None or not asked.sees(one):
        return _missing(f"No content found with id : {id}")
    page = _paged(asked, _parts(asked, one, what), min(int(asked.text("limit", "25")), MOST))
    page["results"] = [content(asked, part) for part in page["results"]]
    return Reply(200, page)


def _parts(asked: Asked, one: Content, what: str) -> list[Content]:
    kinds = {"child/attachment": ("attachment",), "descendant/comment": ("footer", "inline")}.get(what)
    every = asked.world.parts(one.id) if kinds else asked.world.contents.values()
    return [
        part
        for part in every
        if part.status == "current"
        and (part.kind in kinds if kinds else (part.kind == "page" and part.parent_id == one.id))
        and asked.sees(part)
    ]


def _search(asked: Asked, site: Confluence) -> Reply:
    """Answer from the index, which is behind."""
    try:
        wanted = cql.parse(asked.text("cql"), site.time_zone)
    except ValueError as error:
        return _bad(f"Could not parse cql : {error}")
    world = asked.world
    known = world.indexed(site.clock.now() - site.lag_seconds)
    found = [
        one
        for one in known
        if one.status == "current"
        and (not wanted.keys or world.spaces[one.space_id].key in wanted.keys)
        and (not wanted.kinds or ("comment" if one.is_comment else one.kind) in wanted.kinds)
        and one.kind != "folder"
        and one.modified >= wanted.since
        # The index may name what is gone by now, but not what may not be seen.
        and (one.id not in world.contents or asked.sees(world.contents[one.id]))
        and (one.container_id is None or one.container_id in world.contents)
    ]
    found.sort(key=lambda one: (one.modified, one.id))
    page = _paged(asked, found, min(int(asked.text("limit", "25")), MOST))
    page["results"] = [content(asked, one) for one in page["results"]]
    return Reply(200, {**page, "totalSize": len(found), "cqlQuery": asked.text("cql")})


def content(asked: Asked, one: Content) -> dict[str, Any]:
    """Write a piece of content as version 1 does, with what was asked to be expanded."""
    world, space = asked.world, asked.world.spaces[one.space_id]
    expand = set(asked.values("expand"))
    body: dict[str, Any] = {
        "id": one.shown_id,
        "type": "comment" if one.is_comment else one.kind,
        "status": one.status,
        "title": one.title,
        "extensions": {},
        "_expandable": {},
        "_links": {"webui": _webui(world, one), "self": f"{asked.base}/rest/api/content/{one.shown_id}"},
    }
    if asked.path.endswith(one.shown_id):
        body["_links"]["base"] = asked.base
    if one.kind == "attachment":
        body["extensions"] = {"mediaType": one.media_type, "fileSize": len(one.data), "comment": ""}
        body["metadata"] = {"mediaType": one.media_type}
        body["_links"]["download"] = (
            f"/download/attachments/{one.container_id}/{quote(one.title)}?version={one.version}&api=v2"
        )
    if one.is_comment:
        body["extensions"] = {"location": one.kind, "resolution": {"status": one.resolution}}
        if one.selection and "extensions.inlineProperties" in expand:
            body["extensions"]["inlineProperties"] = {"originalSelection": one.selection}
    inside = {part for name in expand for part in _steps(name)}
    _expand(asked, one, body, inside)
    if "space" in inside:
        body["space"] = {"id": space.id, "key": space.key, "name": space.name, "type": space.type}
    return body


def _steps(name: str) -> list[str]:
    """``children.attachment.version`` asks for all three; what is nested is asked for by its last part."""
    parts = name.split(".")
    return [".".join(parts[: number + 1]) for number in range(len(parts))] + [parts[-1]]


def _expand(asked: Asked, one: Content, body: dict[str, Any], inside: set[str]) -> None:
    world = asked.world
    by = _dc_user(world, one.author)
    if "version" in inside:
        body["version"] = {"number": one.version, "when": moment(one.modified), "by": by, "minorEdit": False}
    if "history" in inside:
        body["history"] = {"createdDate": moment(one.created), "createdBy": by, "latest": True}
    if "ancestors" in inside and one.kind == "page":
        above = [up for up in world.chain(one)[1:] if up.kind == "page"]
        body["ancestors"] = [
            {"id": up.shown_id, "type": up.kind, "status": up.status, "title": up.title}
            for up in reversed(above)
        ]
    if "container" in inside and one.container_id is not None:
        holder = world.contents[one.container_id]
        body["container"] = {
            "id": holder.shown_id,
            "type": holder.kind,
            "title": holder.title,
            "status": holder.status,
            "_links": {"webui": _webui(world, holder)},
        }
    if "body.storage" in inside:
        body["body"] = {"storage": {"value": one.body, "representation": "storage"}}
    if "metadata.labels" in inside:
        labels = [{"prefix": "global", "name": name, "id": "1"} for name in one.labels]
        body.setdefault("metadata", {})["labels"] = {"results": labels, "start": 0, "size": len(labels)}
    for outer, inner, what in (
        ("children", "attachment", "child/attachment"),
        ("descendants", "comment", "descendant/comment"),
    ):
        if f"{outer}.{inner}" in inside and one.kind in ("page", "blogpost"):
            parts = _parts(asked, one, what)
            nested = _slice(parts, 0, NESTED)
            nested["results"] = [_part(asked, part) for part in nested["results"]]
            links = {"self": f"{asked.base}/rest/api/content/{one.id}/{what}"}
            if len(parts) > NESTED:
                links["next"] = f"/rest/api/content/{one.id}/{what}?limit={NESTED}&start={NESTED}"
            body[outer] = {inner: {**nested, "_links": links}}


def _part(asked: Asked, one: Content) -> dict[str, Any]:
    """Write content that is nested in its page: with its version and date."""
    body = content(asked, one)
    _expand(asked, one, body, {"version", "history"})
    return body


def _webui(world: World, one: Content) -> str:
    """Return the link for people at Data Center."""
    if one.is_comment or one.kind == "attachment":
        return webui(world, one)
    return f"/pages/viewpage.action?pageId={one.id}"
