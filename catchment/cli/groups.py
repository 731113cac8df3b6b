"""The groups in which ``catchment --help`` shows its commands, in this order."""

from cyclopts import Group

SYNC = Group.create_ordered("Syncing")
FIND = Group.create_ordered("Finding")
KEEP = Group.create_ordered("Keeping house")
TRY = Group.create_ordered("Trying things out")
