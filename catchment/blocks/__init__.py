"""The Prefect block types: the cursor, and one credentials block per provider."""
