"""The conformance kit: what every good connector does, tried against a vendor under control.

Whoever writes a connector writes a `World`, the vendor's side of it, and runs the checks on the pair: through
the product's own sync into a real store, without Prefect. docs/connector-kit.md tells how.
"""

from catchment.conformance.abilities import Ability
from catchment.conformance.check import Check, all_checks
from catchment.conformance.report import Outcome, Report, Result
from catchment.conformance.runner import conform, require, run_check
from catchment.conformance.simulated import SimulatedWorld
from catchment.conformance.world import Delivery, Setup, World

__all__ = [
    "Ability",
    "Check",
    "Delivery",
    "Outcome",
    "Report",
    "Result",
    "Setup",
    "SimulatedWorld",
    "World",
    "all_checks",
    "conform",
    "require",
    "run_check",
]
