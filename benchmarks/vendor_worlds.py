"""Vendors to sync from, made from a seed: about so many items each, one token an item, somewhere in its text.

What a token stands in is drawn by chance: of an issue it may be a comment, a remark beside a line or a
review, of a page of Notion a nested block or a comment. So a sync that leaves a part out loses the token.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from benchmarks.words import sentences, title, token, with_token
from catchment.simulators.confluence import Confluence
from catchment.simulators.confluence.signin import API_TOKEN, EMAIL
from catchment.simulators.github import GitHub
from catchment.simulators.notion import NotionSimulator
from catchment.simulators.notion.blocks import Spec as Block
from catchment.simulators.notion.blocks import block, cell_row, paragraph
from catchment.simulators.notion.simulator import TOKEN as NOTION_TOKEN
from catchment.simulators.rss import Form, Simulation
from catchment.simulators.server import Simulator

_MINUTE = 60.0
_GITHUB_TOKEN = "benchmark"
_FEEDS = 8
_ENTRIES_A_PAGE = 50
_LABELS = 12


@dataclass(frozen=True)
class Vendor:
    """A simulated vendor and what is known of it.

    Attributes:
        world: The simulator.
        tokens: Token of each item by its key; of an entry of a feed the key begins with the feed's path.
        config: Address of the simulator to the settings of a connector.
        credentials: What the connector signs in with.
    """

    world: Simulator
    tokens: Mapping[str, str]
    config: Callable[[str], dict[str, Any]]
    credentials: dict[str, str] | None = None


class _Texts:
    """Draws texts, and hides a token in one of several."""

    def __init__(self, series: str) -> None:
        self.rng = random.Random(series)
        self._series = series
        self._count = 0

    def token(self) -> str:
        self._count += 1
        return token(self._series, str(self._count))

    def title(self) -> str:
        return title(self.rng)

    def some(self, parts: int, characters: int, unique: str = "") -> list[str]:
        """Return paragraphs, one of which has the token."""
        texts = [sentences(self.rng, characters) for _ in range(parts)]
        if unique:
            place = self.rng.randrange(parts)
            texts[place] = with_token(texts[place], unique, self.rng)
        return texts


def github(items: int) -> Vendor:
    """Two repositories: half of the items are files, of the rest three in ten are pull requests."""
    texts, world = _Texts("github"), GitHub()
    world.token(_GITHUB_TOKEN)
    world.access.limit = 1_000_000  # an hour's limit is no part of a ratio
    tokens: dict[str, str] = {}
    for name in ("catchment/river", "catchment/gauges"):
        repo = world.repository(name, collaborators={"octo-ann": "admin", "octo-bob": "read"})
        files: dict[str, bytes | str | Any | None] = {}
        for number in range(items // 4):
            path = f"{texts.rng.choice(('docs', 'src', 'src/gauges', 'reports'))}/note-{number:05}.md"
            tokens[f"{repo.id}:main:{path}"] = unique = texts.token()
            files[path] = "\n\n".join(texts.some(texts.rng.randint(2, 8), 500, unique))
        repo.commit(files)
        for number in range(items // 4):
            is_pull = number % 10 < 3
            comments = texts.rng.randint(0, 3)
            remarks, reviews = (texts.rng.randint(0, 2), texts.rng.randint(0, 2)) if is_pull else (0, 0)
            unique = texts.token()
            body, *said = texts.some(1 + comments + remarks + reviews, 400, unique)
            world.clock.advance(_MINUTE)
            issue = repo.open(texts.title(), body, pull=is_pull)
            tokens[issue.node_id] = unique
            for place, words in enumerate(said):
                world.clock.advance(1)
                if place < comments:
                    repo.comment(issue.number, words)
                elif place < comments + remarks:
                    repo.remark(issue.number, words)
                else:
                    repo.review(issue.number, words)
    names = [repo.full_name for repo in world.repositories.values()]
    signed = {"token": _GITHUB_TOKEN}
    return Vendor(world, tokens, lambda url: {"api_url": url, "repos": names}, signed)


def confluence(items: int) -> Vendor:
    """Three spaces: six in ten are pages, the rest posts, comments of both kinds and attachments."""
    texts, site = _Texts("confluence"), Confluence()
    world, rng = site.world, texts.rng
    tokens: dict[str, str] = {}
    labels = [f"label-{number}" for number in range(_LABELS)]

    def body(unique: str) -> str:
        return "".join(f"<p>{text}</p>" for text in texts.some(rng.randint(2, 6), 400, unique))

    for key in ("ENG", "OPS", "DOC"):
        space = world.add_space(key)
        assert space.homepage_id is not None
        tokens[str(space.homepage_id)] = unique = texts.token()
        world.edit(space.homepage_id, body(unique))
        pages = [space.homepage_id, world.add_folder(key, "Archive of plans", parent=space.homepage_id)]
        for number in range(items // 3 * 6 // 10):
            site.clock.advance(_MINUTE)
            unique, parent = texts.token(), rng.choice(pages)
            made = world.add_page(key, f"{texts.title()} {number}", body(unique), parent=parent)
            tokens[str(made)] = unique
            if number % 4 == 0:
                world.label(made, *rng.sample(labels, 2))
            pages.append(made)
        holders = [page for page in pages if str(page) in tokens]
        for number in range(items // 3 // 20):
            site.clock.advance(_MINUTE)
            unique = texts.token()
            tokens[str(world.add_blogpost(key, f"{texts.title()} {number}", body(unique)))] = unique
        for number in range(items // 3 * 7 // 20):
            site.clock.advance(_MINUTE)
            holder, unique = rng.choice(holders), texts.token()
            if number % 3 == 0:
                data = "\n".join(texts.some(4, 400, unique)).encode()
                made = world.attach(holder, f"notes-{number}.txt", data)
                tokens[f"att{made}"] = unique
            else:
                selection = "the level" if number % 6 == 1 else ""
                said = f"<p>{texts.some(1, 200, unique)[0]}</p>"
                tokens[str(world.add_comment(holder, said, selection=selection))] = unique
    signed = {"email": EMAIL, "api_token": API_TOKEN}
    return Vendor(site, tokens, lambda url: {"instance_url": url}, signed)


def notion(items: int) -> Vendor:
    """A tree of pages, and two databases whose rows are four items in ten; one page in ten has a comment."""
    texts, world = _Texts("notion"), NotionSimulator()
    rng, tokens = texts.rng, {}
    unique = texts.token()
    pages = [world.page("Handbook", blocks=map(paragraph, texts.some(1, 300, unique)))]
    tokens[pages[0]] = unique
    sources = [
        world.database(name, pages[0], schema={"Status": "status"}, description=f"All {name.lower()}.")[1]
        for name in ("Tasks", "Suppliers")
    ]
    for number in range(items - 1):
        world.clock.advance(_MINUTE)
        parent = sources[number % 2] if number % 10 < 4 else rng.choice(pages)
        unique, is_commented = texts.token(), number % 10 == 5
        parts = texts.some(5 + is_commented, 200, unique)
        said = parts.pop() if is_commented else ""
        made = world.page(f"{texts.title()} {number}", parent, blocks=_body(parts, nested=number % 4 == 0))
        tokens[made] = unique
        if said:
            world.comment(made, said)
        if parent not in sources:
            pages.append(made)
    secret = {"integration_token": NOTION_TOKEN}
    return Vendor(world, tokens, lambda url: {"base_url": url}, secret)


def _body(parts: list[str], *, nested: bool) -> list[Block]:
    first, second, third, *rest = parts
    if not nested:
        return [paragraph(first), block("bulleted_list_item", second), *map(paragraph, (third, *rest))]
    table = Block(
        "table", {"table_width": 1, "has_column_header": True, "has_row_header": False}, [cell_row(third)]
    )
    toggle = block("toggle", first, paragraph(second))
    return [toggle, table, *map(paragraph, rest)]


def rss(items: int) -> Vendor:
    """Eight feeds with links to their older pages; the text of an entry is on the page that it links to."""
    texts, site = _Texts("rss"), Simulation()
    tokens: dict[str, str] = {}
    for number in range(_FEEDS):
        form: Form = "atom" if number % 2 else "rss"
        feed = site.add_feed(f"feed-{number}", form=form, window=_ENTRIES_A_PAGE, paged=True, brief=True)
        for _ in range(items // _FEEDS):
            site.clock.advance(_MINUTE)
            # A feed that is brief shows the first words only: the token is on the article's page alone.
            unique = texts.token()
            parts = [sentences(texts.rng, 120), *texts.some(4, 400, unique)]
            post = site.publish(feed.name, texts.title(), "".join(f"<p>{part}</p>" for part in parts))
            tokens[f"{feed.path}:{post.guid}"] = unique

    def config(url: str) -> dict[str, Any]:
        first, *others = (f"{url}{feed.path}" for feed in site.feeds.values())
        return {"feed_url": first, "feed_urls": others, "full_text": True}

    return Vendor(site, tokens, config)


VENDORS: Mapping[str, Callable[[int], Vendor]] = {
    "github": github,
    "confluence": confluence,
    "notion": notion,
    "rss": rss,
}
