"""The shapes of discussions in deliveries; everywhere else they come through the other API."""

from __future__ import annotations

from catchment.simulators.github.bodies import WEB, Body, iso, reactions, user
from catchment.simulators.github.forum import Discussion, Said
from catchment.simulators.github.ids import node_id
from catchment.simulators.github.world import Repository


def discussion(base: str, repo: Repository, one: Discussion) -> Body:
    """A discussion."""
    web = f"{WEB}/{repo.full_name}/discussions/{one.number}"
    answer = next((said for said in one.words() if said.id == one.answer), None)
    number = sum(one.category.encode())
    return {
        "repository_url": f"{base}/repos/{repo.full_name}",
        "category": {
            "id": number,
            "node_id": node_id("DIC", number),
            "repository_id": repo.id,
            "emoji": ":speech_balloon:",
            "name": one.category,
            "description": "",
            "created_at": iso(repo.created),
            "updated_at": iso(repo.created),
            "slug": one.category.lower().replace("&", "-"),
            "is_answerable": one.is_answerable,
        },
        "answer_html_url": f"{web}#discussioncomment-{answer.id}" if answer is not None else None,
        "answer_chosen_at": iso(one.updated) if answer is not None else None,
        "answer_chosen_by": user(base, repo.owner) if answer is not None else None,
        "html_url": web,
        "id": one.id,
        "node_id": one.node_id,
        "number": one.number,
        "title": one.title,
        "user": user(base, one.author or "ghost"),
        "state": "open",
        "locked": False,
        "comments": sum(1 for _ in one.words()),
        "created_at": iso(one.created),
        "updated_at": iso(one.updated),
        "author_association": "MEMBER",
        "active_lock_reason": None,
        "body": one.body,
        "reactions": reactions(f"{base}/repos/{repo.full_name}/discussions/{one.number}"),
    }


def discussion_comment(base: str, repo: Repository, one: Discussion, said: Said) -> Body:
    """A comment in a discussion, or a reply."""
    above = next((other.id for other in one.comments.values() if said.id in other.replies), None)
    api = f"{base}/repos/{repo.full_name}/discussions/comments/{said.id}"
    return {
        "id": said.id,
        "node_id": said.node_id,
        "html_url": f"{WEB}/{repo.full_name}/discussions/{one.number}#discussioncomment-{said.id}",
        "parent_id": above,
        "child_comment_count": len(said.replies),
        "repository_url": f"{base}/repos/{repo.full_name}",
        "discussion_id": one.id,
        "author_association": "MEMBER",
        "user": user(base, said.author or "ghost"),
        "created_at": iso(said.created),
        "updated_at": iso(said.updated),
        "body": said.body,
        "reactions": reactions(api),
    }
