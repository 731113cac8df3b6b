"""Documents: listed and shown; and why one is, or is not, where a person looks for it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from msgspec import Struct
from sqlalchemy import Engine

from catchment.core.errors import CatchmentError, NotFound, UsageError
from catchment.core.runs import ItemState
from catchment.services.context import Context
from catchment.store import documents, items, runs
from catchment.store.documents import DocumentRow, ListedDocument
from catchment.store.engine import reading
from catchment.store.rows import ConnectorRow

UNKNOWN = "unknown"


@contextmanager
def listed(
    engine: Engine, connector: ConnectorRow, *, limit: int | None = None, offset: int = 0
) -> Iterator[Iterator[DocumentRow]]:
    """Open the list of a connector's documents by key, read row by row from one snapshot."""
    with reading(engine) as connection:
        yield documents.of_connector(connection, connector.pk, limit=limit, offset=offset)


def count(engine: Engine, connector: ConnectorRow) -> int:
    """Return how many documents of a connector can be found."""
    with reading(engine) as connection:
        return documents.totals(connection).get(connector.pk, (0, 0))[0]


def items_in(engine: Engine, connector: ConnectorRow, states: Sequence[str], *, limit: int) -> Sequence[Any]:
    """Return items that stand in one of these states, by key, with reason and error."""
    with reading(engine) as connection:
        return items.with_state(connection, connector.pk, states, limit=limit)


def show(engine: Engine, name: str) -> DocumentRow:
    """Return a document by its id, or by the beginning of it.

    Raises:
        NotFound: There is none.
        UsageError: There are several.
    """
    with reading(engine) as connection:
        found = documents.find(connection, name)
    if not name or not found:
        raise NotFound(
            f"There is no document {name!r}.", remedy="See: catchment documents <connector>, or search."
        )
    if len(found) > 1:
        raise UsageError(f"Several documents match {name!r}.", remedy="Give more of the id.")
    return found[0]


def text(engine: Engine, document: DocumentRow) -> str:
    """Return the whole text of a document."""
    with reading(engine) as connection:
        return "".join(documents.text_of(connection, document.pk))


def page(
    context: Context,
    connector: ConnectorRow,
    *,
    limit: int,
    offset: int = 0,
    states: Sequence[str] | None = None,
    subjects: Sequence[tuple[str, str]] | None = None,
) -> tuple[list[ListedDocument], int]:
    """Return documents of a connector, newest first, and how many there are in all.

    Args:
        context: The surroundings.
        connector: Whose.
        limit: Most documents.
        offset: Documents to leave out.
        states: Only of items that stand so; None for any.
        subjects: Who asks, as pairs of kind and subject; None is the operator.
    """
    with reading(context.engine) as connection:
        found = documents.page(
            connection, connector.pk, limit=limit, offset=offset, states=states, subjects=subjects
        )
        return found, documents.count_page(connection, connector.pk, states=states, subjects=subjects)


def opening(context: Context, document: DocumentRow, *, characters: int) -> str:
    """Return how a document begins, white space folded, cut at the end of a sentence or word."""
    parts: list[str] = []
    with reading(context.engine) as connection:
        for part in documents.text_of(connection, document.pk):
            parts.append(part)
            if sum(map(len, parts)) > 4 * characters:
                break
    text = " ".join("".join(parts).split())
    if len(text) <= characters:
        return text
    cut = text[:characters]
    for mark in (". ", "! ", "? ", "\u3002"):
        if (end := cut.rfind(mark)) > characters // 2:
            return cut[: end + 1]
    return f"{cut.rpartition(' ')[0] or cut} …"


class Explanation(Struct, frozen=True):
    """Why an item is, or is not, in the index.

    Attributes:
        key: The item's key; as it was asked for where it is unknown.
        state: A state of the ledger, or ``unknown``.
        stage: Where it failed.
        reason: Short code.
        error: What went wrong, in words.
        attempts: Failures in a row.
        next_attempt_at: POSIX seconds.
        document: Id of the document that can be found.
        told: One sentence for a person.
        next_step: What to do about it, or nothing.
    """

    key: str
    state: str
    stage: str | None = None
    reason: str | None = None
    error: str | None = None
    attempts: int = 0
    next_attempt_at: float | None = None
    document: str | None = None
    told: str = ""
    next_step: str = ""


def why(engine: Engine, connector: ConnectorRow, name: str) -> Explanation:
    """Explain what became of one item, by its key or path."""
    with reading(engine) as connection:
        row = items.explain(connection, connector.pk, name)
        if row is None and (plain := name.removeprefix("./").lstrip("/")) != name:
            row = items.explain(connection, connector.pk, plain)
        if row is not None:
            document = documents.id_of(connection, row.pk)
            held = documents.is_held(connection, row.pk)
    if row is None:
        return _never_seen(engine, connector, name)
    told, step = _seen(row, connector, found=document is not None, held=held)
    return Explanation(
        key=row.key,
        state=row.state,
        stage=row.stage,
        reason=row.reason,
        error=row.error,
        attempts=row.attempts,
        next_attempt_at=row.next_attempt_at,
        document=document,
        told=told,
        next_step=step,
    )


def _seen(row: Any, connector: ConnectorRow, *, found: bool, held: bool) -> tuple[str, str]:
    again = f"catchment sync {connector.slug} --file {quoted(row.key)}"
    old = " An older version can be found meanwhile." if found else ""
    if row.state == ItemState.INDEXED:
        if held:
            return (
                "It is in the index. The last listing did not name it, and the guard holds its removal.",
                f"If it is gone for good: catchment sync {connector.slug} --allow-mass-delete",
            )
        return "It is in the index.", ""
    if row.state == ItemState.SKIPPED:
        return f"A rule left it out before it was read.{old}", _skip_remedy(row.reason, connector)
    if row.state == ItemState.FAILED:
        return f"It could not be read or parsed; the next run that is due tries again.{old}", again
    if row.state == ItemState.QUARANTINED:
        return f"It failed {row.attempts} times and is left alone until it changes.{old}", again
    if row.state == ItemState.HIDDEN:
        return "A person deleted its document; a new version at the source brings it back.", again
    return "It is gone: the source lost it, or the settings leave it out.", ""


def _skip_remedy(reason: str | None, connector: ConnectorRow) -> str:
    code = (reason or "").partition(":")[0]
    if code == "too_large":
        return f"catchment connector edit {connector.slug} --set max_file_bytes=<bytes>"
    if code == "too_old":
        return f"catchment connector edit {connector.slug} --unset max_age_days"
    return ""


def quoted(text: str) -> str:
    """Write a text as one word of a shell command."""
    import shlex

    return shlex.quote(text)


def _never_seen(engine: Engine, connector: ConnectorRow, name: str) -> Explanation:
    """Explain a name that the ledger has never seen, with the settings and the runs."""
    reason, told, step = _outside(connector, name) or _absent(engine, connector)
    return Explanation(key=name, state=UNKNOWN, reason=reason, told=told, next_step=step)


def _outside(connector: ConnectorRow, name: str) -> tuple[str, str, str] | None:
    from catchment.core.settings import sync_settings
    from catchment.kit import registry
    from catchment.kit.selection import Selection
    from catchment.kit.session import Session
    from catchment.sync.begin import read_config

    try:
        provider = registry.provider_of(connector)
        config = read_config(provider, connector.config)
        selection = Selection.of(config, max_file_bytes=sync_settings().max_file_bytes)
        source = provider(config, None, Session(trusted=connector.trusted))
        inside = source.admits(name)
    except CatchmentError:
        # What the settings say cannot be told; the runs still can.
        return None
    edit = f"catchment connector edit {connector.slug} --set"
    if not selection.admits(name):
        only_excluded = Selection(selection.include, (), 1, None).admits(name)
        setting = "exclude" if only_excluded else "include"
        patterns = ", ".join(config.exclude if only_excluded else config.include)
        return (
            f"outside_{setting}",
            f"It was never seen: the setting {setting} leaves it out ({patterns}).",
            f"{edit} {setting}=<patterns>",
        )
    if not inside:
        return (
            "outside_scope",
            "It was never seen: it lies outside what this connector reads (its folder or ignore files).",
            f"catchment connector show {connector.slug}",
        )
    return None


def _absent(engine: Engine, connector: ConnectorRow) -> tuple[str, str, str]:
    with reading(engine) as connection:
        ended = [row for row in runs.recent(connection, connector.pk, limit=50) if not row.dry_run]
    again = f"catchment sync {connector.slug}"
    if not any(row.started_at for row in ended):
        return "never_synced", "It was never seen: this connector has not been synced yet.", again
    if ended[0].state == "FAILED":
        return (
            "run_failed",
            "It was never seen, and the last run did not come to a good end.",
            f"catchment run show {ended[0].id}",
        )
    return (
        "not_listed",
        "It was never seen: the source did not name it when it was last listed. "
        "Check the spelling; upper and lower case count.",
        again,
    )
