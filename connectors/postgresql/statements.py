"""The statements that read rows: one page, everything, some keys, what changed since a time.

Each reads the same facts in the same order: the key's values, then version, size, seconds of the date, and
the columns of the address. Names come from the catalog and are quoted; values are always bound. `r` is the
row, `h.t` the text of the columns in use, which the server makes once and hashes.
"""

from __future__ import annotations

from connectors.postgresql.catalog import Column
from connectors.postgresql.names import sql_name
from connectors.postgresql.rows import RowPlan


def page(plan: RowPlan, *, first: bool, inline_bytes: int | None = None) -> str:
    """Read one page by key; parameters are the last key's values, unless it is the first, and the number.

    Args:
        plan: Whose rows.
        first: Whether it is the first page.
        inline_bytes: Read the texts of rows up to this size, too, as `documents` does; those of larger
            ones come as null.
    """
    columns = ", ".join(_column(column) for column in plan.key)
    conditions = [_not_deleted(plan)]
    if not first:
        bounds = ", ".join(f"%s::text::{_type(column)}" for column in plan.key)
        # Written as a row the comparison is one range of the index; written with OR it is none.
        conditions.append(f"({columns}) > ({bounds})")
    texts = _small_texts(plan, inline_bytes) if inline_bytes is not None else []
    return f"{_select(plan, *texts)} {_where(conditions)} ORDER BY {columns} LIMIT %s"


def scan(plan: RowPlan) -> str:
    """Read everything, in whatever order comes fastest; no parameters."""
    return f"{_select(plan)} {_where([_not_deleted(plan)])}"


def since(plan: RowPlan) -> str:
    """Read what was changed at or after a time, the parameter; the last column tells what is deleted."""
    assert plan.updated is not None
    gone = _deleted(plan) or "false"
    bound = f"{_column(plan.updated)} >= %s::text::{_type(plan.updated)}"
    return f"{_select(plan, f'coalesce({gone}, false)')} {_where([bound])}"


def newest(plan: RowPlan) -> str:
    """Read the latest finite time of a change."""
    assert plan.updated is not None
    column = _column(plan.updated)
    return (
        f"SELECT max({column})::timestamptz FROM {plan.relation.source} AS r WHERE isfinite({column}) AND %s"
    )


def facts(plan: RowPlan) -> str:
    """Read the facts of rows by key: see `by_key` for the parameters."""
    return f"{_select(plan, by_key=True)} {_where([_not_deleted(plan), _keyless(plan)])}"


def documents(plan: RowPlan, *, inline_bytes: int) -> str:
    """Read the facts and the texts of rows by key, then the document column where it is small enough.

    Args:
        plan: Whose rows.
        inline_bytes: A larger document column comes as null.
    """
    texts = [_readable(column) for column in plan.read]
    if plan.content is not None:
        column = _column(plan.content)
        # A case is not evaluated where it does not hold: a large value is not even unpacked.
        texts.append(f"CASE WHEN octet_length({column}) <= {inline_bytes:d} THEN {_bytes(plan.content)} END")
    return f"{_select(plan, *texts, by_key=True)} {_where([_not_deleted(plan), _keyless(plan)])}"


def _small_texts(plan: RowPlan, inline_bytes: int) -> list[str]:
    """Write what `documents` reads besides the facts, for rows up to a size."""
    texts = [_readable(column) for column in plan.read]
    if plan.content is not None:
        texts.append(_bytes(plan.content))
    size = _size(plan, has_text=not plan.by_time)
    return [f"CASE WHEN {size} <= {inline_bytes:d} THEN {text} END" for text in texts]


def content_slice(plan: RowPlan) -> str:
    """Read a stretch of a document column; parameters: start (from 1), length, then as `by_key`."""
    assert plan.content is not None
    column = plan.content
    source, _ = _source(plan, by_key=True, with_text=not plan.key)
    return (
        f"SELECT substring({_bytes(column)} from %s::int for %s::int) {source} "
        f"{_where([_not_deleted(plan), _keyless(plan)])}"
    )


def canonical(plan: RowPlan) -> str:
    """Write key values as the server itself writes them; parameters as `by_key`, for a plan with a key."""
    texts = ", ".join(f"w.k{index}::{_type(column)}::text" for index, column in enumerate(plan.key))
    return f"SELECT {texts} FROM {_wanted(plan)} ORDER BY w.place"


def by_key(plan: RowPlan, keys: list[tuple[str | None, ...]]) -> list[list[str | None]]:
    """Return the parameters that name rows: one list of texts for each column of the key."""
    width = len(plan.key) or 1
    return [[values[index] for values in keys] for index in range(width)]


def _select(plan: RowPlan, *more: str, by_key: bool = False) -> str:
    source, has_text = _source(plan, by_key=by_key)
    keys = [f"{_column(column)}::text" for column in plan.key] or [_row_hash()]
    date = "NULL::float8"
    if plan.date is not None:
        date = f"extract(epoch FROM {_column(plan.date)})::float8"
    wanted = [*keys, _version(plan), _size(plan, has_text=has_text), date]
    wanted += [f"{_column(column)}::text" for column in plan.listed]
    return f"SELECT {', '.join([*wanted, *more])} {source}"


def _source(plan: RowPlan, *, by_key: bool, with_text: bool = True) -> tuple[str, bool]:
    """Return what stands from FROM on, and whether `h.t` is there."""
    source = f"FROM {plan.relation.source} AS r"
    if by_key and plan.key:
        matches = " AND ".join(_match(index, column) for index, column in enumerate(plan.key))
        source = f"FROM {_wanted(plan)} JOIN {plan.relation.source} AS r ON {matches}"
    if plan.by_time or not with_text:
        return source, False
    # OFFSET 0 keeps the planner from making the text once for the hash and again for the size.
    return f"{source} CROSS JOIN LATERAL (SELECT {_row_text(plan)} AS t OFFSET 0) AS h", True


def _wanted(plan: RowPlan) -> str:
    lists = ", ".join("%s::text[]" for _ in plan.key)
    names = ", ".join(f"k{index}" for index in range(len(plan.key)))
    return f"unnest({lists}) WITH ORDINALITY AS w({names}, place)"


def _match(index: int, column: Column) -> str:
    wanted = f"w.k{index}::{_type(column)}"
    if column.not_null:
        return f"{_column(column)} = {wanted}"
    return f"{_column(column)} IS NOT DISTINCT FROM {wanted}"


def _keyless(plan: RowPlan) -> str:
    return "" if plan.key else f"{_row_hash()} = ANY(%s::text[])"


def _row_text(plan: RowPlan) -> str:
    parts = (
        f"sha256({_column(column)})" if column.base_type == "bytea" else _column(column)
        for column in plan.used
    )
    return f"ROW({', '.join(parts)})::text"


def _version(plan: RowPlan) -> str:
    if not plan.by_time:
        return _hash("h.t", 0)
    assert plan.updated is not None
    column = _column(plan.updated)
    return f"CASE WHEN {column} IS NULL THEN {_hash(_row_text(plan), 0)} ELSE {column}::text END"


def _hash(text: str, seed: int) -> str:
    # 64 bits tell two states of one row apart, and this is four times as fast as SHA-256.
    return f'to_hex(hashtextextended(({text}) COLLATE "C", {seed}))'


def _row_hash() -> str:
    # Where the hash names the row among all others, it has 128 bits.
    return f"({_hash('h.t', 0)} || '.' || {_hash('h.t', 1)})"


def _size(plan: RowPlan, *, has_text: bool) -> str:
    if plan.content is not None:
        return f"octet_length({_column(plan.content)})::bigint"
    if has_text:
        return "octet_length(h.t)::bigint"
    # Lengths as they are stored: no large value is unpacked for them.
    parts = (
        f"coalesce({'octet_length' if column.is_text else 'pg_column_size'}({_column(column)}), 0)"
        for column in plan.used
    )
    return f"({' + '.join(parts)})::bigint"


def _deleted(plan: RowPlan) -> str:
    if plan.deleted is None:
        return ""
    column = _column(plan.deleted)
    if plan.deleted.category == "B":
        return column
    return f"{column} <> 0" if plan.deleted.category == "N" else f"{column} IS NOT NULL"


def _not_deleted(plan: RowPlan) -> str:
    return f"({_deleted(plan)}) IS NOT TRUE" if plan.deleted is not None else ""


def _where(conditions: list[str]) -> str:
    given = [condition for condition in conditions if condition]
    return f"WHERE {' AND '.join(given)}" if given else ""


def _readable(column: Column) -> str:
    name = _column(column)
    if column.base_type == "bytea":
        return f"'(' || octet_length({name}) || ' bytes)'"
    return f"{name}::text"


def _bytes(column: Column) -> str:
    name = _column(column)
    return name if column.base_type == "bytea" else f"convert_to({name}::text, 'UTF8')"


def _column(column: Column) -> str:
    return f"r.{sql_name(column.name)}"


def _type(column: Column) -> str:
    return column.type_name.replace("%", "%%")
