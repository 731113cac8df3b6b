"""Reads one gauge twice and says which of the two readings to believe."""

from __future__ import annotations

from dataclasses import dataclass

DISAGREE_CM = 4.0
"""Above this difference between probe and head somebody drives out."""
OBSTRUCTED_CM = 10.0
"""A constant difference above this is a thing in front of the head, usually a spider's web (INC-198)."""


@dataclass(frozen=True)
class Reading:
    """One minute of one gauge; levels in centimetres above gauge zero."""

    probe_cm: float
    head_cm: float
    spread_cm: float


def verdict(readings: list[Reading]) -> str:
    """Judge the last fifteen minutes of a gauge.

    Returns:
        ``OK``, ``DISAGREE`` or ``OBSTRUCTED``.
    """
    differences = [reading.head_cm - reading.probe_cm for reading in readings]
    if not differences or max(abs(difference) for difference in differences) <= DISAGREE_CM:
        return "OK"
    is_steady = max(differences) - min(differences) < 1.0
    if is_steady and abs(differences[-1]) > OBSTRUCTED_CM:
        return "OBSTRUCTED"
    return "DISAGREE"


def discharge_m3_per_s(level_m: float) -> float:
    """Discharge at Millbridge Weir by the rating curve of 2022, good up to 2.9 m."""
    return float(3.42 * max(level_m - 0.21, 0.0) ** 1.63)
