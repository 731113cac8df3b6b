"""``catchment cursor``: where the next run of a connector begins."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cyclopts import App

from catchment.cli import groups, words
from catchment.cli.house import House
from catchment.cli.output import out
from catchment.core.clock import iso

if TYPE_CHECKING:
    from catchment.store.rows import ConnectorRow
    from catchment.sync.cursor import CursorValue, SavedCursor

app = App(name="cursor", group=groups.SYNC, help="Show or change where the next run of a connector begins.")
MARK_CHARACTERS = 200


@app.command
def show(connector: str, /) -> int:
    """Show the cursor, its marks, and the earlier ones that are kept.

    Args:
        connector: Name or id of the connector.
    """
    from catchment.services import cursors
    from catchment.services.connectors import find

    context = House().context()
    row = find(context, connector)
    view = cursors.show(context, row)
    saved = view.saved
    if out.json:
        out.record(
            connector=row.slug,
            revision=saved.current.revision if saved else None,
            saved_at=iso(saved.current.saved_at) if saved else None,
            run=saved.current.run_id if saved else None,
            marks=view.marks,
            refused=view.refused,
            listed_at={key: iso(at) for key, at in view.listed_at.items()},
            previous=[_value_json(value) for value in saved.previous] if saved else [],
        )
        return 0
    if saved is None:
        out.say(f"{row.slug} has no cursor: the next run lists everything.")
        return 0
    out.facts(
        [
            ("Revision", saved.current.revision),
            ("Saved", words.moment(saved.current.saved_at)),
            ("By run", saved.current.run_id),
            (
                "Believed",
                f"no, {words.reason(view.refused)}: the next run lists everything" if view.refused else "yes",
            ),
        ]
    )
    out.say()
    out.table(
        ("scope", "listed", "mark"),
        (
            (key, words.moment(at) or "never", view.marks.get(key, "")[:MARK_CHARACTERS])
            for key, at in view.listed_at.items()
        ),
    )
    if saved.previous:
        out.say()
        out.table(
            (">back", ">revision", "saved", "by run"),
            (
                (number, value.revision, words.moment(value.saved_at), value.run_id[-8:])
                for number, value in enumerate(saved.previous, start=1)
            ),
        )
    return 0


@app.command
def reset(connector: str, /) -> int:
    """Forget the cursor: the next run lists everything, and reads what has changed.

    Args:
        connector: Name or id of the connector.
    """
    from catchment.services import cursors
    from catchment.services.connectors import find

    context = House().context()
    row = find(context, connector)
    saved = cursors.reset(context, row)
    return _tell(row, saved, f"The cursor of {row.slug} is reset. The next run lists everything.")


@app.command
def rollback(connector: str, steps: int = 1, /) -> int:
    """Go back to an earlier cursor: the next run reads the changes since then again.

    Args:
        connector: Name or id of the connector.
        steps: How many values to go back; catchment cursor show numbers them.
    """
    from catchment.services import cursors
    from catchment.services.connectors import find

    context = House().context()
    row = find(context, connector)
    saved = cursors.rollback(context, row, steps)
    following = (
        "The next run lists everything, as every run of this source does."
        if cursors.lists_everything_next(row)
        else "The next run reads the changes since then again; to have everything listed, reset it."
    )
    return _tell(row, saved, f"The cursor of {row.slug} is back at what it was. {following}")


def _tell(connector: ConnectorRow, saved: SavedCursor, told: str) -> int:
    if out.json:
        out.record(connector=connector.slug, **_value_json(saved.current))
    else:
        out.say(f"{told} (revision {saved.current.revision})")
    return 0


def _value_json(value: CursorValue) -> dict[str, object]:
    return {
        "revision": value.revision,
        "saved_at": iso(value.saved_at),
        "run": value.run_id,
        "cursor": value.text,
    }
