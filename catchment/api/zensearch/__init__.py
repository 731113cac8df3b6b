"""The ZenSearch face: connectors, jobs, documents and files under ``/api/v1``."""
