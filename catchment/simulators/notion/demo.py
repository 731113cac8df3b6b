"""A workspace to look at: a handbook, projects with notes, and two databases."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

from catchment.simulators.notion.blocks import Spec, block, cell_row, heading, paragraph, text

if TYPE_CHECKING:
    from catchment.simulators.notion.simulator import NotionSimulator

_WORDS = (
    "gauge",
    "weir",
    "river",
    "sluice",
    "survey",
    "valve",
    "pump",
    "ledger",
    "meadow",
    "bridge",
    "culvert",
    "sensor",
    "storm",
    "basin",
    "outflow",
    "record",
    "permit",
    "inspection",
    "schedule",
    "supplier",
)
_COLORS = ("blue", "green", "red")
_HOUR = 3600.0


def fill(world: NotionSimulator) -> None:
    """Fill a workspace with some hundred pages, made over a month that ends now."""
    chance = random.Random(world.new_id())  # noqa: S311 - no secret
    end = world.clock.now()
    world.clock.seconds = end - 30 * 24 * _HOUR
    people = [world.author, world.person("Grace Hopper"), world.person("Edsger Dijkstra")]

    def step() -> None:
        world.clock.advance(_HOUR)
        world.author = chance.choice(people)

    handbook = world.page("Handbook", blocks=[paragraph("How we work."), *_body(chance)])
    for part in ("Field work", "Office", "Safety", "Instruments"):
        step()
        chapter = world.page(part, handbook, blocks=_body(chance))
        for number in range(1, 13):
            step()
            page = world.page(f"{part} {number}: {_title(chance)}", chapter, blocks=_body(chance))
            if number % 4 == 0:
                world.comment(page, f"Please look at the {chance.choice(_WORDS)} again.")
    projects = world.page("Projects")
    schema = {
        "Status": "status",
        "Due": "date",
        "Tags": "multi_select",
        "Budget": "number",
        "Done": "checkbox",
    }
    _, tasks = world.database("Tasks", projects, schema=schema, description="All that is to be done.")
    _, suppliers = world.database("Suppliers", projects, schema={"Site": "url", "Mail": "email"})
    for number in range(1, 121):
        step()
        world.page(
            f"Task {number}: {_title(chance)}",
            tasks,
            properties=_task(chance, number),
            blocks=[paragraph(_sentence(chance))] if number % 2 else [],
        )
    for number in range(1, 41):
        step()
        name = f"{_title(chance).title()} {number} Ltd"
        site = {"url": f"https://supplier-{number}.example.com"}
        mail = {"email": f"office@supplier-{number}.example.com"}
        world.page(name, suppliers, properties={"Site": site, "Mail": mail})
    world.clock.seconds = end


def _task(chance: random.Random, number: int) -> dict[str, dict[str, Any]]:
    def option(name: str) -> dict[str, str]:
        return {"id": name.lower()[:4], "name": name, "color": chance.choice(_COLORS)}

    return {
        "Status": {"status": option(chance.choice(("Open", "Doing", "Closed")))},
        "Due": {"date": {"start": f"2025-{number % 12 + 1:02}-15", "end": None, "time_zone": None}},
        "Tags": {"multi_select": [option(word) for word in chance.sample(_WORDS, 2)]},
        "Budget": {"number": number * 250},
        "Done": {"checkbox": number % 3 == 0},
    }


def _body(chance: random.Random) -> list[Spec]:
    rows = [cell_row("Part", "Count")] + [cell_row(word, str(len(word))) for word in chance.sample(_WORDS, 3)]
    return [
        heading(1, _title(chance).capitalize()),
        paragraph([text(f"{_sentence(chance)} "), text("Mind this.", bold=True)]),
        block("bulleted_list_item", _sentence(chance), block("bulleted_list_item", _sentence(chance))),
        block("to_do", _sentence(chance), checked=chance.random() < 0.5),
        heading(2, "Parts"),
        Spec("table", {"table_width": 2, "has_column_header": True, "has_row_header": False}, rows),
        block("code", "level = gauge.read()", language="python"),
        block("callout", _sentence(chance)),
    ]


def _title(chance: random.Random) -> str:
    return " ".join(chance.sample(_WORDS, 3))


def _sentence(chance: random.Random) -> str:
    return f"The {' '.join(chance.sample(_WORDS, 8))}."
