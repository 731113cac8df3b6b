"""GitHub, as far as a connector sees it: repositories, talks, tokens, apps, limits and deliveries."""

from catchment.simulators.github import accounts, code, talk  # noqa: F401 - they answer
from catchment.simulators.github.hooks import Hooks
from catchment.simulators.github.server import GitHub, secondary_limit
from catchment.simulators.github.world import Issue, Repository

__all__ = ["GitHub", "Hooks", "Issue", "Repository", "secondary_limit"]
