"""Single discussions: looked up by number or id, and read with every comment and reply."""

from __future__ import annotations

from collections.abc import Iterator

from catchment.kit import Content, Item, ItemUnreadable, SourceDown
from connectors.github import questions
from connectors.github.client import Client, Repository
from connectors.github.discussions import item_of
from connectors.github.graph import next_cursor
from connectors.github.rendering import discussion as written
from connectors.github.walking import Row

SAID, REPLIED, MORE = 50, 25, 100
"""How many comments, replies below each, and further replies below one a question asks for."""


def by_number(client: Client, repository: Repository, number: int) -> Item | None:
    """Look a discussion up.

    Raises:
        SourceError: GitHub cannot be asked.
    """
    owner, _, name = repository.name.partition("/")
    told = client.graph.ask(questions.ONE, owner=owner, name=name, number=number)
    raw = (told.get("repository") or {}).get("discussion")
    return item_of(repository, raw) if raw else None


def by_node(client: Client, repositories: dict[int, Repository], ids: list[str]) -> list[Item | None]:
    """Look discussions up by their ids, at most a hundred; None for what is none of these repositories.

    Raises:
        SourceError: GitHub cannot be asked.
    """
    nodes = client.graph.ask(questions.NODES, ids=ids).get("nodes")
    if not isinstance(nodes, list) or len(nodes) != len(ids):
        raise SourceDown("GitHub's answer about ids of discussions makes no sense.")
    found: list[Item | None] = []
    for raw in nodes:
        home = repositories.get(((raw or {}).get("repository") or {}).get("databaseId") or 0)
        found.append(item_of(home, raw) if home is not None else None)
    return found


def fetch(client: Client, repository: Repository, item: Item) -> Content:
    """Return a discussion with its comments and replies as Markdown.

    Raises:
        ItemUnreadable: gone.
        SourceError: GitHub cannot be asked.
    """
    facts: Row | None = None
    comments: list[Row] = []
    after: str | None = None
    while facts is None or after is not None:
        raw = client.graph.ask(
            questions.WHOLE, sizes={"first": SAID, "replies": REPLIED}, id=item.key, after=after
        ).get("node")
        if not raw:
            raise ItemUnreadable(item.key, "gone", "It is no longer there.")
        facts = facts or raw
        comments += _with_all_replies(client, raw["said"]["nodes"])
        after = next_cursor(raw["said"], after)
    content = Content.text(written(facts, comments))
    content.item = item_of(repository, facts)
    return content


def _with_all_replies(client: Client, comments: list[Row]) -> Iterator[Row]:
    for comment in comments:
        replies, after = comment["replies"]["nodes"], next_cursor(comment["replies"], None)
        while after is not None:
            told = client.graph.ask(questions.REST, sizes={"first": MORE}, id=comment["id"], after=after).get(
                "node"
            )
            if not told:
                break  # the comment went meanwhile
            replies += told["replies"]["nodes"]
            after = next_cursor(told["replies"], after)
        yield {**comment, "replies": replies}
