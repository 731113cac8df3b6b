"""Stateful stand-ins of vendors: real HTTP servers on this machine, for tests and tries without accounts."""
