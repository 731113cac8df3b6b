"""Empty stores that are copies of one."""

from __future__ import annotations

from pathlib import Path

from catchment.conformance.empty import open_file
from catchment.store import meta
from catchment.store.engine import reading
from catchment.store.migrate import require_current


def test_each_copy_has_an_identity_of_its_own_and_keeps_it(tmp_path: Path) -> None:
    def identity(name: str) -> str:
        engine = open_file(tmp_path / name / "catchment.db")
        try:
            require_current(engine)
            with reading(engine) as connection:
                return meta.store_id(connection)
        finally:
            engine.dispose()

    first, second = identity("a"), identity("b")
    assert first != second
    assert (identity("a"), identity("b")) == (first, second)
