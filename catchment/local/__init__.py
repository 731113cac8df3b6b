"""The embedded stack: launch, state file, readiness, drain."""
