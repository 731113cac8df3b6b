"""Version 2 of the Cloud API: spaces, pages, blog posts, folders, comments, attachments, permissions."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urlencode

from catchment.simulators.confluence.signin import Viewer
from catchment.simulators.confluence.world import Content, Space, World
from catchment.simulators.wire import Reply, Request

MOST = 250
_SCOPES = {
    "spaces": "read:space:confluence",
    "pages": "read:page:confluence",
    "blogposts": "read:page:confluence",
    "folders": "read:folder:confluence",
    "attachments": "read:attachment:confluence",
    "footer-comments": "read:comment:confluence",
    "inline-comments": "read:comment:confluence",
}
_KINDS = {
    "pages": "page",
    "blogposts": "blogpost",
    "attachments": "attachment",
    "footer-comments": "footer",
    "inline-comments": "inline",
    "folders": "folder",
}
_SORTS = {
    "pages": ("id", "created-date", "modified-date", "title"),
    "blogposts": ("id", "created-date", "modified-date"),
    "attachments": ("created-date", "modified-date"),
    "footer-comments": ("created-date", "modified-date"),
    "inline-comments": ("created-date", "modified-date"),
    "spaces": ("id", "key", "name"),
}
_STATUSES = {
    "pages": ("current", "archived", "deleted", "trashed"),
    "blogposts": ("current", "deleted", "trashed"),
    "attachments": ("current", "archived", "trashed"),
    "spaces": ("current", "archived"),
}
_DEFAULTS = {"pages": {"current", "archived"}, "spaces": {"current", "archived"}}


@dataclass(frozen=True, slots=True)
class Asked:
    """A request, who makes it, and the site that it is about.

    Attributes:
        path: Path at the site, without the gateway's prefix.
        base: Address of the site as links have it.
    """

    request: Request
    path: str
    viewer: Viewer
    world: World
    base: str

    def values(self, name: str) -> list[str]:
        """Return a parameter that may be repeated, or hold several values between commas."""
        found = [value for key, value in self.request.pairs if key == name]
        return [part for value in found for part in value.split(",") if part]

    def text(self, name: str, default: str = "") -> str:
        """Return a parameter."""
        return self.request.query.get(name, default)

    def may(self, scope: str) -> bool:
        """Whether the sign-in has a scope."""
        return self.viewer.scopes is None or scope in self.viewer.scopes

    def sees(self, one: Content) -> bool:
        """Whether the viewer may see something that is not itself, and does not belong to what is, gone."""
        holder = self.world.holder(one)
        if holder is None or (holder is not one and holder.status in ("trashed", "deleted")):
            return False
        return self.world.may_view(self.viewer.account, one)


class Refused(Exception):
    """An answer that is an error."""

    def __init__(self, status: int, code: str, title: str) -> None:
        super().__init__(title)
        error = {"status": status, "code": code, "title": title, "detail": None}
        self.reply = Reply(status, {"errors": [error]})


def moment(seconds: float) -> str:
    """Write a time as the API does."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def out_of_scope() -> Reply:
    """Return the gateway's refusal of a token without the scope."""
    return Reply(401, {"code": 401, "message": "Unauthorized; scope does not match"})


def answer(asked: Asked) -> Reply:
    """Answer an address of version 2."""
    parts = asked.path.removeprefix("/wiki/api/v2/").split("/")
    if (scope := scope_of(parts)) is not None and not asked.may(scope):
        return out_of_scope()
    if parts == ["users-bulk"] and asked.request.method == "POST":
        return _users(asked)
    if asked.request.method != "GET":
        return Refused(405, "METHOD_NOT_ALLOWED", "Method Not Allowed").reply
    try:
        return _route(asked, parts)
    except Refused as refused:
        return refused.reply


def scope_of(parts: Sequence[str]) -> str | None:
    """Return the scope that an address needs: that of what it lists, below a page or space."""
    if parts == ["labels"]:
        return "read:label:confluence"
    if parts == ["users-bulk"]:
        return "read:user:confluence"
    if parts[-1] == "role-assignments":
        return "read:space.permission:confluence"
    named = [part for part in parts if part in _SCOPES]
    return _SCOPES[named[-1]] if named else None


def _users(asked: Asked) -> Reply:
    """Tell the names of users; those that are not known are left out."""
    ids = (asked.request.json() or {}).get("accountIds")
    if not isinstance(ids, list) or not 1 <= len(ids) <= MOST:
        return Refused(400, "INVALID_REQUEST_PARAMETER", "Provide 1 to 250 account ids").reply
    users = asked.world.users
    found = [
        {
            "accountId": id,
            "accountType": "atlassian",
            "publicName": users[id],
            "displayName": users[id],
            "email": "",
        }
        for id in ids
        if id in users
    ]
    return Reply(200, {"results": found, "_links": {"base": asked.base}})


def _route(asked: Asked, parts: Sequence[str]) -> Reply:
    match parts:
        case ["spaces"]:
            return _spaces(asked)
        case ["labels"]:
            return _labels(asked)
        case ["labels", id, ("pages" | "blogposts") as what]:
            number = _number(id)
            return _contents(asked, what, lambda one: number in map(_label_id, one.labels))
        case ["spaces", id, *rest]:
            return _of_space(asked, _the_space(asked, id), rest)
        case [("pages" | "blogposts" | "attachments" | "footer-comments" | "inline-comments") as what]:
            return _contents(asked, what, lambda _: True)
        case [("pages" | "blogposts"), id, ("attachments" | "footer-comments" | "inline-comments") as what]:
            holder = _the_content(asked, parts[0], id)
            # Only those that answer no other one.
            return _contents(asked, what, lambda one: one.container_id == holder.id and one.parent_id is None)
        case [("footer-comments" | "inline-comments") as what, id, "children"]:
            above = _the_content(asked, what, id)
            return _contents(asked, what, lambda one: one.parent_id == above.id)
        case ["pages", id, what]:
            return _of_page(asked, _the_content(asked, "pages", id), what)
        case [what, id] if what in _KINDS:
            return _single(asked, _content(asked, _the_content(asked, what, id), single=True))
        case _:
            raise Refused(404, "NOT_FOUND", "Not Found")


def _of_space(asked: Asked, space: Space, rest: Sequence[str]) -> Reply:
    match rest:
        case []:
            return _single(asked, _space(space))
        case [("pages" | "blogposts") as what]:
            return _contents(asked, what, lambda one: one.space_id == space.id)
        case ["permissions"]:
            return _permissions(asked, space)
        case ["role-assignments"]:
            return _assignments(asked, space)
        case _:
            raise Refused(404, "NOT_FOUND", "Not Found")


def _of_page(asked: Asked, page: Content, what: str) -> Reply:
    if what in ("children", "direct-children"):
        return _contents(asked, "pages", lambda one: one.parent_id == page.id)
    if what == "ancestors":
        above = asked.world.chain(page)[1:]
        found = [{"id": one.shown_id, "type": one.kind} for one in reversed(above)]
    elif what == "labels":
        found = [_label(name) for name in page.labels]
    else:
        raise Refused(404, "NOT_FOUND", "Not Found")
    return Reply(200, {"results": found, "_links": {"base": asked.base}})


def _the_space(asked: Asked, id: str) -> Space:
    space = asked.world.spaces.get(_number(id))
    if space is None or not asked.world.may_view_space(asked.viewer.account, space):
        raise Refused(404, "NOT_FOUND", "Not Found")
    return space


def _the_content(asked: Asked, what: str, id: str) -> Content:
    number = _number(id.removeprefix("att") if what == "attachments" else id)
    one = asked.world.contents.get(number)
    statuses = set(asked.values("status")) or {"current", "archived", "trashed"}
    if one is None or one.kind != _KINDS[what] or one.status not in statuses or not asked.sees(one):
        raise Refused(404, "NOT_FOUND", "Not Found")
    return one


def _number(text: str) -> int:
    if not re.fullmatch(r"\d{1,18}", text):
        raise Refused(400, "INVALID_REQUEST_PARAMETER", f"Provided value {{{text}}} for 'id' is not a number")
    return int(text)


def _spaces(asked: Asked) -> Reply:
    keys, kinds = asked.values("keys"), asked.values("type")
    statuses = set(asked.values("status")) or _DEFAULTS["spaces"]
    ids = {_number(text) for text in asked.values("ids")}
    found = [
        space
        for space in asked.world.spaces.values()
        if asked.world.may_view_space(asked.viewer.account, space)
        and (not keys or space.key in keys)
        and (not ids or space.id in ids)
        and (not kinds or space.type in kinds)
        and space.status in statuses
    ]
    sort = _sort(asked, "spaces")
    return _page(asked, found, lambda space: getattr(space, sort.lstrip("-")), sort, _space)


def _contents(asked: Asked, what: str, belongs: Callable[[Content], bool]) -> Reply:
    statuses = set(asked.values("status")) or _DEFAULTS.get(what, {"current"})
    if unknown := statuses - set(_STATUSES.get(what, statuses)):
        raise _invalid("status", min(unknown))
    ids = {_number(text) for text in asked.values("id")} if what in ("pages", "blogposts") else set()
    spaces = {_number(text) for text in asked.values("space-id")}
    root = asked.text("depth") == "root"
    kind = _KINDS[what]
    found = [
        one
        for one in asked.world.contents.values()
        if one.kind == kind
        and one.status in statuses
        and (not ids or one.id in ids)
        and (not spaces or one.space_id in spaces)
        and not (root and one.parent_id is not None)
        and belongs(one)
        and asked.sees(one)
    ]
    if asked.text("body-format") not in ("", "storage", "atlas_doc_format"):
        raise _invalid("body-format", asked.text("body-format"))
    sort = _sort(asked, what)
    return _page(asked, found, _SORT_KEYS[sort.lstrip("-")], sort, lambda one: _content(asked, one))


_SORT_KEYS: dict[str, Callable[[Content], Any]] = {
    "id": lambda one: one.id,
    "created-date": lambda one: one.created,
    "modified-date": lambda one: one.modified,
    "title": lambda one: one.title,
}


def _sort(asked: Asked, what: str) -> str:
    allowed = _SORTS[what]
    sort = asked.text("sort", allowed[0])
    if sort.lstrip("-") not in allowed:
        raise _invalid("sort", sort)
    return sort


def _invalid(name: str, value: str) -> Refused:
    return Refused(
        400, "INVALID_REQUEST_PARAMETER", f"Provided value {{{value}}} for '{name}' is not the correct type"
    )


def _page(
    asked: Asked,
    found: Iterable[Any],
    key: Callable[[Any], Any],
    sort: str,
    render: Callable[[Any], dict[str, Any]],
) -> Reply:
    """Answer one page: what comes after the place that the cursor names, whatever has changed meanwhile."""
    down = sort.startswith("-")
    ranked = sorted(((key(one), one.id) for one in found), reverse=down)
    by_id = {one.id: one for one in found}
    limit = _limit(asked)
    if (text := asked.text("cursor")) != "":
        place = _read_cursor(text)
        ranked = [rank for rank in ranked if (rank < place if down else rank > place)]
    shown = ranked[:limit]
    links: dict[str, str] = {"base": asked.base}
    header = f'<{asked.base}>; rel="base"'
    if len(ranked) > limit:
        others = [(name, value) for name, value in asked.request.pairs if name != "cursor"]
        cursor = base64.urlsafe_b64encode(json.dumps(shown[-1]).encode()).decode()
        links["next"] = f"{quote(asked.path)}?{urlencode([*others, ('cursor', cursor)])}"
        header = f'<{links["next"]}>; rel="next", {header}'
    body = {"results": [render(by_id[id]) for _, id in shown], "_links": links}
    return Reply(200, body, {"Link": header})


def _limit(asked: Asked) -> int:
    text = asked.text("limit", "25")
    if not text.isdecimal() or not 1 <= int(text) <= MOST:
        raise _invalid("limit", text)
    return int(text)


def _read_cursor(text: str) -> tuple[Any, int]:
    try:
        value, id_ = json.loads(base64.urlsafe_b64decode(text))
    except (binascii.Error, ValueError, TypeError):
        raise Refused(400, "INVALID_REQUEST_PARAMETER", "Invalid cursor") from None
    return value, id_


def _single(asked: Asked, body: dict[str, Any]) -> Reply:
    body["_links"] = {**body.get("_links", {}), "base": asked.base}
    return Reply(200, body, {"Link": f'<{asked.base}>; rel="base"'})


def _space(space: Space) -> dict[str, Any]:
    return {
        "id": str(space.id),
        "key": space.key,
        "name": space.name,
        "type": space.type,
        "status": space.status,
        "authorId": space.author,
        "spaceOwnerId": space.author,
        "createdAt": moment(space.created),
        "homepageId": str(space.homepage_id),
        "currentActiveAlias": space.key,
        "description": None,
        "icon": None,
        "_links": {"webui": f"/spaces/{space.key}"},
    }


def _permissions(asked: Asked, space: Space) -> Reply:
    rows: list[dict[str, Any]] = []
    principals = [(kind, name, "read") for kind, name in space.readers]
    principals += [(kind, name, "delete") for kind, name in space.readers[:1]]
    principals += [("role", role, "read") for role in space.roles]
    for number, (kind, name, operation) in enumerate(principals):
        rows.append(
            {
                "id": str(space.id * 100 + number),
                "principal": {"type": kind, "id": name},
                "operation": {"key": operation, "targetType": "space" if operation == "read" else "page"},
            }
        )
    return _rows(asked, rows)


def _assignments(asked: Asked, space: Space) -> Reply:
    wanted = asked.text("role-id")
    rows = [
        {"principal": {"principalType": kind.upper(), "principalId": name}, "roleId": role}
        for role, members in space.roles.items()
        for kind, name in members
        if wanted in ("", role)
    ]
    return _rows(asked, rows)


def _rows(asked: Asked, rows: list[dict[str, Any]]) -> Reply:
    """Answer a page of rows that have no order of their own."""
    start = int(_read_cursor(asked.text("cursor"))[1]) if asked.text("cursor") else 0
    end = start + _limit(asked)
    links = {"base": asked.base}
    if end < len(rows):
        cursor = base64.urlsafe_b64encode(json.dumps([None, end]).encode()).decode()
        links["next"] = f"{asked.path}?{urlencode({'limit': end - start, 'cursor': cursor})}"
    return Reply(200, {"results": rows[start:end], "_links": links})


def _labels(asked: Asked) -> Reply:
    names = {name for one in asked.world.contents.values() if asked.sees(one) for name in one.labels}
    return _rows(asked, [_label(name) for name in sorted(names)])


def _label(name: str) -> dict[str, str]:
    return {"id": str(_label_id(name)), "name": name, "prefix": "global"}


def _label_id(name: str) -> int:
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:6])


def _content(asked: Asked, one: Content, *, single: bool = False) -> dict[str, Any]:
    version = {
        "number": one.version,
        "message": "",
        "minorEdit": False,
        "authorId": one.author,
        "createdAt": moment(one.modified),
    }
    body: dict[str, Any] = {
        "id": one.shown_id,
        "status": one.status,
        "title": one.title,
        "version": version,
        "_links": {"webui": webui(asked.world, one)},
    }
    if one.kind == "attachment":
        return {**body, **_attachment(asked, one)}
    if one.is_comment:
        body.update(_comment(asked.world, one))
    else:
        body.update(spaceId=str(one.space_id), authorId=one.author, createdAt=moment(one.created))
    if one.kind in ("page", "folder"):
        above = asked.world.contents.get(one.parent_id) if one.parent_id else None
        body.update(
            parentId=above.shown_id if above else None,
            parentType=above.kind if above else None,
            position=one.id % 1000,
            ownerId=one.author,
        )
    if one.kind == "page":
        body["lastOwnerId"] = None
        body["_links"]["editui"] = f"/pages/resumedraft.action?draftId={one.id}"
        body["_links"]["tinyui"] = f"/x/{one.id:x}"
    if one.kind == "folder":
        body["type"] = "folder"
        return body
    wanted = asked.text("body-format")
    body["body"] = {wanted: {"representation": wanted, "value": one.body}} if wanted else {}
    if single and asked.text("include-labels") == "true":
        body["labels"] = {
            "results": [_label(name) for name in one.labels],
            "meta": {"hasMore": False},
            "_links": {"self": f"/api/v2/pages/{one.id}/labels"},
        }
    return body


def _attachment(asked: Asked, one: Content) -> dict[str, Any]:
    holder = asked.world.contents[one.container_id or 0]
    stamp = int(one.modified * 1000)
    download = (
        f"/download/attachments/{holder.id}/{quote(one.title)}"
        f"?version={one.version}&modificationDate={stamp}&cacheVersion=1&api=v2"
    )
    return {
        "createdAt": moment(one.created),
        "pageId" if holder.kind == "page" else "blogPostId": str(holder.id),
        "mediaType": one.media_type,
        "mediaTypeDescription": None,
        "comment": "",
        "fileId": f"00000000-0000-4000-8000-{one.id:012d}",
        "fileSize": len(one.data),
        "webuiLink": webui(asked.world, one),
        "downloadLink": download,
        "_links": {"webui": webui(asked.world, one), "download": download},
    }


def _comment(world: World, one: Content) -> dict[str, Any]:
    holder = world.contents[one.container_id or 0]
    told: dict[str, Any] = {
        "pageId" if holder.kind == "page" else "blogPostId": str(holder.id),
        "resolutionStatus": one.resolution,
    }
    if one.parent_id is not None:
        told["parentCommentId"] = str(one.parent_id)
    if one.kind == "inline":
        told["resolutionLastModifierId"] = one.author
        told["resolutionLastModifiedAt"] = moment(one.modified)
        told["properties"] = {"inlineMarkerRef": f"marker-{one.id}", "inlineOriginalSelection": one.selection}
    return told


def webui(world: World, one: Content) -> str:
    """Return the link for people, below the site's address."""
    key = world.spaces[one.space_id].key
    title = quote(one.title.replace(" ", "+"), safe="+")
    if one.kind == "blogpost":
        day = datetime.fromtimestamp(one.created, UTC)
        return f"/spaces/{key}/blog/{day:%Y/%m/%d}/{one.id}/{title}"
    if one.kind == "attachment":
        preview = quote(f"/{one.container_id}/{one.id}/{one.title}", safe="")
        return f"/pages/viewpageattachments.action?pageId={one.container_id}&preview={preview}"
    if one.is_comment:
        holder = world.contents[one.container_id or 0]
        return f"{webui(world, holder)}?focusedCommentId={one.id}"
    where = "folder" if one.kind == "folder" else "pages"
    return f"/spaces/{key}/{where}/{one.id}/{title}"
