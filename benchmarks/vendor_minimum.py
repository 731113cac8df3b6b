"""The fewest requests by which a vendor's API gives all that a connector indexes, from the simulator's state.

Each formula takes the largest page that the vendor documents, and knows of every call that brings many bodies
at a time, whether the connector uses it or not:

* GitHub: one archive (and the redirect to it) for all files of a branch; lists of a hundred for issues,
  comments and remarks; one GraphQL question for the reviews of a hundred pull requests, which REST tells one
  pull request at a time. Not counted as a saving: GraphQL could nest the comments of a hundred issues into
  one answer, too, where its limits of time let it.
* Confluence Cloud: lists of 250 with the bodies in them. Labels are in no list: they are asked for by label,
  or one page at a time, whatever is less; names of authors a hundred at a time. Folders come one by one; so
  do files, each by a redirect.
* Notion: search and queries of a hundred; lists of a hundred blocks, one level of one page at a time, since
  files are documents of their own and only these lists tell them; comments, one page at a time; a database's
  description, one by one. (Without files a page could come as Markdown by one request, however deep it is.)
* Feeds: pages of a feed as its server cuts them, articles one by one.

When nothing changed no body is needed. What a mark saves is in `unchanged`; `relisted` is a complete listing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from math import ceil

from catchment.simulators.confluence import Confluence
from catchment.simulators.github import GitHub, Repository
from catchment.simulators.notion import NotionSimulator
from catchment.simulators.notion.things import Block, Database, DataSource, Page
from catchment.simulators.rss import Simulation

GITHUB_ROWS = 100
GITHUB_NODES = 100
CONFLUENCE_ROWS = 250
CONFLUENCE_NAMES = 100
NOTION_ROWS = 100
_REDIRECTED = 2
"""Requests of a download: the API names an address that ends soon, and there the bytes are."""
Counts = Mapping[str, int]


@dataclass(frozen=True)
class Minimum:
    """Requests by what they are for.

    Attributes:
        listing: Of a complete listing; each waits for the one before.
        bodies: Beyond that, for everything that is read; these may go side by side.
        unchanged: Of a run that begins at the mark of the last one and finds nothing.
    """

    listing: Counts
    bodies: Counts
    unchanged: Counts

    @property
    def whole(self) -> int:
        """All requests of a first sync."""
        return sum(self.listing.values()) + sum(self.bodies.values())

    @property
    def relisted(self) -> int:
        """All requests of a complete listing that finds nothing new."""
        return sum(self.listing.values())

    @property
    def noticed(self) -> int:
        """All requests of a run from the mark that finds nothing new."""
        return sum(self.unchanged.values())

    def seconds(self, *, latency: float, width: int) -> float:
        """Return how long a first sync waits for answers, with so many requests for bodies at a time."""
        return (self.relisted + sum(self.bodies.values()) / width) * latency


def pages(rows: int, most: int) -> int:
    """Return how many pages a list has; an empty one has one, too."""
    return max(1, ceil(rows / most))


def of_github(world: GitHub) -> Minimum:
    """See the module."""
    each = [_of_repository(repo) for repo in world.repositories.values()]
    listing, bodies = (_sum(some) for some in zip(*each, strict=True))
    # A mark tells commit and times; that no issue is missing is told by how many there are.
    seen = ("repositories", "branches", "count", "issues", "comments", "remarks")
    return Minimum(listing, bodies, dict.fromkeys(seen, len(each)))


def _of_repository(repo: Repository) -> tuple[Counts, Counts]:
    talks = repo.issues.values()
    pulls = sum(one.is_pull for one in talks)
    listing = {
        "repositories": 1,
        "branches": 1,
        "trees": 1,
        "issues": pages(len(talks), GITHUB_ROWS),
        "comments": pages(sum(len(one.comments) for one in talks), GITHUB_ROWS),
        "remarks": pages(sum(len(one.remarks) for one in talks), GITHUB_ROWS),
    }
    bodies = {
        "files": min(len(repo.files()), _REDIRECTED),
        "reviews": ceil(pulls / GITHUB_NODES),
    }
    return listing, bodies


def of_confluence(site: Confluence) -> Minimum:
    """See the module."""
    world = site.world
    kinds = [one.kind for one in world.contents.values() if one.status == "current"]
    lists = {"page": "pages", "blogpost": "blogposts", "attachment": "attachments"}
    lists |= {"footer": "footer comments", "inline": "inline comments"}
    listing = {name: pages(kinds.count(kind), CONFLUENCE_ROWS) for kind, name in lists.items()}
    listing |= {"spaces": pages(len(world.spaces), CONFLUENCE_ROWS), "folders": kinds.count("folder")}
    authors = {one.author for one in world.contents.values() if one.kind != "folder"}
    bodies = {
        "labels": _of_labels(site),
        "names": ceil(len(authors) / CONFLUENCE_NAMES),
        "files": kinds.count("attachment") * _REDIRECTED,
    }
    # What went is found by a listing alone, so that every run makes one.
    return Minimum(listing, bodies, listing)


def _of_labels(site: Confluence) -> int:
    """All labels, then the pages and the posts of each; or each page and post by itself."""
    held = {"page": 0, "blogpost": 0}
    used: dict[str, dict[str, int]] = {}
    for one in site.world.contents.values():
        if one.kind in held and one.status == "current":
            held[one.kind] += 1
            for label in one.labels:
                used.setdefault(label, dict.fromkeys(held, 0))[one.kind] += 1
    asked = sum(
        min(total, sum(pages(count[kind], CONFLUENCE_ROWS) for count in used.values()))
        for kind, total in held.items()
    )
    return min(pages(len(used), CONFLUENCE_ROWS) + asked, sum(held.values()))


def of_notion(world: NotionSimulator) -> Minimum:
    """See the module."""
    living = world.living()
    rows = [world.rows(key) for key, each in living.items() if isinstance(each, DataSource)]
    listing = {
        "users": pages(len(world.people) + 1, NOTION_ROWS),
        "search": pages(len(living), NOTION_ROWS),
        "queries": sum(pages(len(some), NOTION_ROWS) for some in rows),
    }
    texts = [key for key, each in living.items() if isinstance(each, Page)]
    databases = sum(isinstance(each, Database) for each in world.things.values())
    bodies = {"blocks": sum(_levels(world, key) for key in texts), "comments": len(texts)}
    return Minimum(listing, {**bodies, "databases": databases}, listing)


def _levels(world: NotionSimulator, thing: str) -> int:
    """Return how many lists tell the blocks of a page, or of a block: its own, and those of blocks in it."""
    inside = [each for each in world.children(thing) if isinstance(each, Block)]
    return pages(len(inside), NOTION_ROWS) + sum(_levels(world, each.id) for each in inside if each.children)


def of_rss(site: Simulation) -> Minimum:
    """See the module."""
    feeds = site.feeds.values()
    listing = {"feeds": sum(pages(len(feed.posts), feed.window) if feed.paged else 1 for feed in feeds)}
    return Minimum(listing, {"articles": len(site.posts)}, {"feeds": len(feeds)})


def _sum(counts: Iterable[Counts]) -> Counts:
    total: dict[str, int] = {}
    for each in counts:
        for name, count in each.items():
            total[name] = total.get(name, 0) + count
    return total


FORMULAS: Mapping[str, Callable[..., Minimum]] = {
    "github": of_github,
    "confluence": of_confluence,
    "notion": of_notion,
    "rss": of_rss,
}
