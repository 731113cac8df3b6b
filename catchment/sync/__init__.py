"""The rules of a run, as plain functions without Prefect."""
