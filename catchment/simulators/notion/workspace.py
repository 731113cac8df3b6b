"""The workspace: what is in it, and what people do to it."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from catchment.core.clock import SetClock
from catchment.simulators.notion.blocks import Spec, rich
from catchment.simulators.notion.things import Block, Comment, Database, DataSource, Page, Thing

_IDS = 0x393ABC1E_EDCD_4000_8000_000000000000
TITLE: Mapping[str, Any] = {"id": "title", "type": "title"}


class Workspace:
    """Pages, blocks, databases, comments and users; every act takes effect at the time of the clock.

    Attributes:
        search_lag_seconds: How long search shows the state before an act.
        people: Names by id of user.
    """

    def __init__(self, clock: SetClock, seed: int) -> None:
        self.clock = clock
        self.search_lag_seconds = 0.0
        self.people: dict[str, str] = {}
        self.things: dict[str, Thing] = {}
        self.comments: list[Comment] = []
        self._private: set[str] = set()
        self._shown: dict[str, tuple[float, bool]] = {}
        self._late: list[tuple[float, str]] = []
        self._ranked: dict[bool, list[Page | DataSource]] = {}
        self._next = _IDS + (seed << 40)
        self.author = self.person("Ada Lovelace")

    def new_id(self) -> str:
        """Return an id that was never used."""
        self._next += 1
        return str(uuid.UUID(int=self._next))

    # -- acts -----------------------------------------------------------------------------------

    def person(self, name: str) -> str:
        """Let somebody join."""
        made = self.new_id()
        self.people[made] = name
        return made

    def page(
        self,
        title: str,
        parent: str | None = None,
        *,
        blocks: Iterable[Spec] = (),
        properties: Mapping[str, Mapping[str, Any]] | None = None,
    ) -> str:
        """Make a page in the workspace, a page, a block or a data source.

        Args:
            title: Its title.
            parent: Id of what it lies in.
            blocks: Its body.
            properties: Values by name; ids are added.
        """
        page = Page(self.new_id(), parent, self._now, self._now, self.author, title=title)
        self._put(page)
        for name, value in (properties or {}).items():
            page.properties[name] = self._property(page, name, value)
        self.append(page.id, *blocks)
        return page.id

    def append(self, parent: str, *blocks: Spec) -> list[str]:
        """Add blocks at the end of a page or block, and return their ids."""
        made = []
        for spec in blocks:
            block = Block(
                self.new_id(),
                parent,
                self._now,
                self._now,
                self.author,
                type=spec.type,
                payload=dict(spec.payload),
            )
            self._put(block)
            self.append(block.id, *spec.children)
            made.append(block.id)
        if made:
            self._touch(parent)
        return made

    def edit(self, block: str, content: str) -> None:
        """Write another text into a block."""
        thing = self.things[block]
        assert isinstance(thing, Block)
        thing.payload["rich_text"] = rich(content)
        self._touch(block)

    def rename(self, thing: str, title: str) -> None:
        """Give a page, database or data source another title."""
        named = self.things[thing]
        assert isinstance(named, Page | Database | DataSource)
        named.title = title
        self._touch(thing)

    def set_property(self, page: str, name: str, value: Mapping[str, Any]) -> None:
        """Set a property of a page."""
        thing = self.things[page]
        assert isinstance(thing, Page)
        thing.properties[name] = self._property(thing, name, value)
        self._touch(page)

    def move(self, page: str, parent: str | None) -> None:
        """Put a page elsewhere."""
        thing = self.things[page]
        self._take_out(thing)
        thing.parent = parent
        self._put_in(thing)
        self._touch(page)

    def trash(self, thing: str) -> None:
        """Throw something away; what lies in it goes along."""
        self.things[thing].in_trash = True
        self._touch(thing)

    def restore(self, thing: str) -> None:
        """Take something out of the trash again."""
        self.things[thing].in_trash = False
        self._touch(thing)

    def erase(self, thing: str) -> None:
        """Delete something for good, with all that lies in it."""
        self._take_out(self.things[thing])
        for each in [thing, *self.below(thing)]:
            del self.things[each]
            self._shown.pop(each, None)
        self._ranked.clear()

    def unshare(self, thing: str) -> None:
        """Hide something, and all in it, from the integration; nothing is edited by that."""
        self._private.add(thing)
        for each in (thing, *self.below(thing)):
            self._note(each)

    def share(self, thing: str) -> None:
        """Let the integration see it again."""
        self._private.discard(thing)
        for each in (thing, *self.below(thing)):
            self._note(each)

    def database(
        self,
        title: str,
        parent: str | None = None,
        *,
        schema: Mapping[str, str] | None = None,
        description: str = "",
    ) -> tuple[str, str]:
        """Make a database with one data source, and return both ids.

        Args:
            title: Of both.
            parent: Id of a page or block.
            schema: Types of properties by name, besides the title, which is called Name.
            description: Of the database.
        """
        database = Database(
            self.new_id(),
            parent,
            self._now,
            self._now,
            self.author,
            title=title,
            description=description,
        )
        self._put(database)
        return database.id, self.data_source(database.id, title, schema=schema)

    def data_source(
        self, database: str, title: str, *, schema: Mapping[str, str] | None = None, description: str = ""
    ) -> str:
        """Add a data source to a database."""
        holder = self.things[database]
        assert isinstance(holder, Database)
        source = DataSource(
            self.new_id(),
            database,
            self._now,
            self._now,
            self.author,
            title=title,
            description=description,
        )
        source.schema = {"Name": dict(TITLE)}
        for number, (name, kind) in enumerate((schema or {}).items()):
            source.schema[name] = {"id": f"p%3A{number:02}", "type": kind}
        self.things[source.id] = source
        holder.data_sources.append(source.id)
        self._note(source.id)
        return source.id

    def comment(self, on: str, content: str) -> str:
        """Remark on a page or block, which counts as no edit of it."""
        made = Comment(self.new_id(), on, self.new_id(), self._now, self.author, content)
        self.comments.append(made)
        return made.id

    # -- looks ----------------------------------------------------------------------------------

    def lies_in(self, thing: str) -> Iterator[Thing]:
        """Yield something and all that it lies in, from the inside."""
        seen: str | None = thing
        while seen is not None:
            found = self.things[seen]
            yield found
            seen = found.parent

    def below(self, thing: str) -> list[str]:
        """Return the ids of all that lies in something."""
        inside: dict[str | None, list[str]] = {}
        for each in self.things.values():
            inside.setdefault(each.parent, []).append(each.id)
        found: list[str] = []
        todo = [thing]
        while todo:
            found += (below := inside.get(todo.pop(), []))
            todo += below
        return found

    def is_visible(self, thing: str) -> bool:
        """Whether the integration may see it, be it in the trash or not."""
        if thing not in self.things:
            return False
        return not self._private or not any(each.id in self._private for each in self.lies_in(thing))

    def is_trashed(self, thing: str) -> bool:
        """Whether it, or something that it lies in, is in the trash."""
        step: str | None = thing
        while step is not None:  # written out: it is asked for everything, again and again
            found = self.things[step]
            if found.in_trash:
                return True
            step = found.parent
        return False

    def page_of(self, thing: str) -> str:
        """Return the page that a block lies in."""
        return next(each.id for each in self.lies_in(thing) if isinstance(each, Page))

    def living(self) -> dict[str, Page | DataSource]:
        """Return what the integration could read now: pages and data sources by id."""
        return {
            each: thing
            for each, thing in self.things.items()
            if isinstance(thing, Page | DataSource) and self.is_visible(each) and not self.is_trashed(each)
        }

    def searchable(self, *, in_trash: bool) -> list[Page | DataSource]:
        """Return what search knows by now, earliest edit first."""
        self._catch_up()
        if in_trash not in self._ranked:
            found = sorted(
                (edited, each)
                for each, (edited, trashed) in self._shown.items()
                if trashed is in_trash and each in self.things
            )
            things = (self.things[each] for _, each in found)
            self._ranked[in_trash] = [thing for thing in things if isinstance(thing, Page | DataSource)]
        return list(self._ranked[in_trash])

    def searched_edit(self, thing: str) -> float:
        """Return the time of the last edit as search knows it."""
        return self._shown[thing][0]

    def rows(self, source: str) -> list[Page]:
        """Return the rows of a data source that are visible, trash included."""
        return [
            thing
            for thing in self.things.values()
            if thing.parent == source and isinstance(thing, Page) and self.is_visible(thing.id)
        ]

    def children(self, parent: str) -> Sequence[Thing]:
        """Return the visible blocks of a page or block."""
        kept = (self.things[each] for each in self.things[parent].children if each in self.things)
        return [thing for thing in kept if not thing.in_trash and self.is_visible(thing.id)]

    # -- bookkeeping ----------------------------------------------------------------------------

    @property
    def _now(self) -> float:
        return self.clock.now()

    def _property(self, page: Page, name: str, value: Mapping[str, Any]) -> dict[str, Any]:
        source = self.things.get(page.parent) if page.parent else None
        told = source.schema.get(name) if isinstance(source, DataSource) else None
        kind = told["type"] if told else next(iter(value))
        return {"id": told["id"] if told else name, "type": kind, kind: value[kind]}

    def _put(self, thing: Thing) -> None:
        self.things[thing.id] = thing
        self._put_in(thing)
        self._note(thing.id)

    def _put_in(self, thing: Thing) -> None:
        if thing.parent is None or isinstance(self.things[thing.parent], DataSource | Database):
            return
        self.things[thing.parent].children.append(thing.id)
        self._touch(thing.parent)

    def _take_out(self, thing: Thing) -> None:
        if thing.parent is not None and thing.id in self.things[thing.parent].children:
            self.things[thing.parent].children.remove(thing.id)

    def _touch(self, thing: str) -> None:
        """Note an edit, of the page that it is part of, too."""
        self.things[thing].edited = self._now
        if isinstance(self.things[thing], Block):
            self._touch(self.page_of(thing))
        elif isinstance(self.things[thing], Database):
            for each in self.things[thing].data_sources:  # type: ignore[attr-defined]
                self._note(each)
        for each in (thing, *(self.below(thing) if self.things[thing].in_trash else ())):
            self._note(each)

    def _note(self, thing: str) -> None:
        self._late.append((self._now + self.search_lag_seconds, thing))

    def _catch_up(self) -> None:
        """Let search learn what has become due, and all of it below what was moved or restored."""
        due = [each for when, each in self._late if when <= self._now]
        if not due:
            return
        self._late = [(when, each) for when, each in self._late if when > self._now]
        self._ranked.clear()
        late = {each for _, each in self._late}
        for each in list(self.things):
            if each in late or not isinstance(self.things[each], Page | DataSource):
                continue
            if self.is_visible(each):
                self._shown[each] = (self.things[each].edited, self.is_trashed(each))
            else:
                self._shown.pop(each, None)
