"""The `catchment` command."""
