"""Facts about the store, and the numbers that it hands out."""

from __future__ import annotations

import threading

import pytest
from sqlalchemy import Engine

from catchment.store import meta
from catchment.store.engine import reading, writing
from tests.support.library import Library


class TestAllocatePks:
    def test_hands_out_each_number_once(self, store: Engine) -> None:
        """Stretches of many threads never meet."""
        stretches: list[range] = []

        def take() -> None:
            for count in (1, 7, 30):
                with writing(store) as connection:
                    first = meta.allocate_pks(connection, count)
                stretches.append(range(first, first + count))

        threads = [threading.Thread(target=take) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        numbers = sorted(number for stretch in stretches for number in stretch)
        assert numbers == list(range(1, 6 * 38 + 1))
        with reading(store) as connection:
            assert meta.last_pk(connection) == 6 * 38

    def test_never_repeats_a_number_that_was_kept(self, store: Engine) -> None:
        """What was rolled back was never used, and may come again or not; what was kept does not."""
        with writing(store) as connection:
            kept = meta.allocate_pks(connection, 2)
        with pytest.raises(ZeroDivisionError), writing(store) as connection:
            assert meta.allocate_pks(connection, 5) == kept + 2
            raise ZeroDivisionError
        with writing(store) as connection:
            assert meta.allocate_pks(connection, 1) > kept + 1

    def test_waits_for_no_other_transaction(self, postgres_store: Engine) -> None:
        """On PostgreSQL two runs that write batches at once are not made to take turns."""
        with writing(postgres_store) as one:
            first = meta.allocate_pks(one, 3)
            with writing(postgres_store) as other:
                other.exec_driver_sql("SET LOCAL lock_timeout = '2s'")
                assert meta.allocate_pks(other, 1) == first + 3

    def test_does_not_repeat_the_number_of_a_purged_item(self, library: Library) -> None:
        """Unlike a counter by the greatest row: the newest item goes, and its number with it."""
        pk = library.add("gauge")
        with writing(library.engine) as connection:
            for table in ("chunks", "documents", "items"):
                connection.exec_driver_sql(f"DELETE FROM {table}")
        assert library.add("gauge") > pk

    def test_goes_on_beyond_thirty_two_bits(self, store: Engine) -> None:
        """Numbers are wide on both engines."""
        with writing(store) as connection:
            meta.go_on_after(connection, 2**31 - 1)
            assert meta.allocate_pks(connection, 2) == 2**31
            assert meta.last_pk(connection) == 2**31 + 1


class TestFacts:
    def test_are_written_over(self, store: Engine) -> None:
        """One value for a key; an unknown key is None."""
        with writing(store) as connection:
            assert meta.get(connection, "colour") is None
            meta.put(connection, "colour", "red")
            meta.put(connection, "colour", "blue")
            assert meta.get(connection, "colour") == "blue"
