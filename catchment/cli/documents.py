"""``catchment documents``, ``document show`` and ``why``: what is there, and what became of the rest."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import App, Parameter

from catchment.cli import groups, words
from catchment.cli.house import House
from catchment.cli.output import clean, out
from catchment.cli.server import or_there
from catchment.core.clock import iso

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from catchment.store.documents import DocumentRow
    from catchment.store.rows import ConnectorRow

app = App(name="document", group=groups.FIND, help="Show one document.")
State = Literal["failed", "quarantined", "skipped", "deleted", "hidden", "indexed"]
MOST_SHOWN = 100
MOST_ITEMS = 1_000_000


@or_there("documents")
def documents(
    connector: str,
    /,
    *,
    state: list[State] | None = None,
    limit: Annotated[int | None, Parameter(name=("--limit", "-n"))] = None,
    offset: int = 0,
) -> int:
    """List the documents of a connector that can be found, by key.

    Args:
        connector: Name or id of the connector.
        state: List items that stand so instead, with the reason: failed, quarantined, skipped, ...
        limit: Most rows; 100 if absent, and all with --json.
        offset: Documents to leave out.
    """
    from catchment.services import documents as service
    from catchment.services.names import connector_called

    engine = House().engine()
    row = connector_called(engine, connector)
    if state:
        return _items(engine, row, state, limit)
    with service.listed(engine, row, limit=limit, offset=offset) as found:
        if out.json:
            for document in found:
                out.record(**_as_json(document))
            return 0
        shown = list(islice(found, limit or MOST_SHOWN))
    out.table(
        ("key", "title", "=type", ">size", ">chunks", "=id"),
        (
            (
                one.key,
                one.title,
                words.kind(one.content_type),
                words.size(one.size),
                words.number(one.chunks),
                one.id,
            )
            for one in shown
        ),
    )
    total = service.count(engine, row)
    if total > offset + len(shown):
        out.note(f"{len(shown)} of {words.counted(total, 'document')}; see --offset and --limit.")
    return 0


def _items(engine: Engine, connector: ConnectorRow, states: list[State], limit: int | None) -> int:
    from catchment.services.documents import items_in

    found = items_in(engine, connector, states, limit=limit or (MOST_ITEMS if out.json else MOST_SHOWN))
    if out.json:
        for item in found:
            out.record(
                key=item.key,
                state=item.state,
                stage=item.stage,
                reason=item.reason,
                error=item.error,
                attempts=item.attempts,
            )
        return 0
    out.table(
        ("key", "=state", "=stage", ">attempts", "reason"),
        ((one.key, one.state, one.stage, one.attempts or "", _told(one.reason, one.error)) for one in found),
    )
    return 0


def _told(reason: str | None, error: str | None) -> str:
    if not error or error == reason:
        return reason or ""
    return error if reason is None or error.startswith(reason) else f"{reason}: {error}"


def _as_json(document: DocumentRow) -> dict[str, Any]:
    return {
        "id": document.id,
        "key": document.key,
        "title": document.title,
        "content_type": document.content_type,
        "size": document.size,
        "sha256": document.content_hash.hex() if document.content_hash is not None else None,
        "chunks": document.chunks,
        "indexed_at": iso(document.indexed_at),
        "path": document.path,
        "url": document.url,
        "stale": document.stale,
    }


@app.command
@or_there("documents")
def show(document: str, /, *, text: bool = False) -> int:
    """Show what is known of a document.

    Args:
        document: Its id, or the beginning of it.
        text: Write its text, too.
    """
    from catchment.services import documents as service

    engine = House().engine()
    row = service.show(engine, document)
    if out.json:
        more: dict[str, Any] = {"text": service.text(engine, row)} if text else {}
        out.record(
            **_as_json(row),
            connector=row.connector,
            author=row.author,
            created_at=iso(row.created_at),
            modified_at=iso(row.modified_at),
            characters=row.characters,
            tags=row.tags,
            notes=row.notes,
            metadata=row.metadata,
            **more,
        )
        return 0
    out.facts(
        [
            ("Title", row.title),
            ("Id", row.id),
            ("Connector", row.connector),
            ("Key", row.key),
            ("Path", row.path if row.path != row.key else None),
            ("Address", row.url),
            ("Type", row.content_type),
            ("Size", words.size(row.size) or None),
            ("SHA-256", row.content_hash.hex() if row.content_hash is not None else None),
            ("Author", row.author),
            ("Changed", words.moment(row.modified_at) or None),
            ("Indexed", words.moment(row.indexed_at)),
            ("Text", f"{words.counted(row.characters, 'character')}, {words.counted(row.chunks, 'chunk')}"),
            ("Tags", ", ".join(row.tags) or None),
            ("Stale", "a newer version could not be read" if row.stale else None),
            *(("Note", note) for note in row.notes),
            *((name, value) for name, value in row.metadata.items()),
        ]
    )
    if text:
        out.say()
        for line in service.text(engine, row).splitlines():
            out.say(clean(line.replace("\t", "    ")))
    return 0


def why(connector: str, key: str, /) -> int:
    """Say why something is, or is not, in the index.

    Args:
        connector: Name or id of the connector.
        key: Exact key or path of the item at its source.
    """
    from catchment.services import documents as service
    from catchment.services.names import connector_called

    engine = House().engine()
    told = service.why(engine, connector_called(engine, connector), key)
    if out.json:
        out.record(
            key=told.key,
            state=told.state,
            stage=told.stage,
            reason=told.reason,
            error=told.error,
            attempts=told.attempts,
            next_attempt=iso(told.next_attempt_at),
            document=told.document,
            explanation=told.told,
            next_step=told.next_step,
        )
        return 0
    out.say(f"{clean(told.key)}: {told.state}")
    out.say(f"  {clean(told.told)}")
    if told.state != service.UNKNOWN and (code := _told(told.reason, told.error)):
        out.say(f"  {clean(f'{told.stage}: {code}' if told.stage else code)}")
    if told.attempts:
        following = (
            f", next attempt from {words.moment(told.next_attempt_at)}" if told.next_attempt_at else ""
        )
        out.say(f"  {words.counted(told.attempts, 'attempt')}{following}")
    if told.document:
        out.say(f"  Document {told.document}")
    if told.next_step:
        out.say(f"  Next: {clean(told.next_step)}")
    return 0
