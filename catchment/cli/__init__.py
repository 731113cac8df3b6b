"""The `catchment` command."""

from catchment.core import startup

# Before the parts are imported: most commands are over when their imports are.
startup.starting()
