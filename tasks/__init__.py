"""The steps of a flow: thin skins over the sync."""
