"""The `catchment` command."""

from catchment.core import garbage

# Before the parts are imported: most commands are over when their imports are.
garbage.starting()
