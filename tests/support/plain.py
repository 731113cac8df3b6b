"""Runs without Prefect: the product's own lanes in plain threads, on a store of the test's own."""

from catchment.conformance.house import House as PlainHouse

__all__ = ["PlainHouse"]
