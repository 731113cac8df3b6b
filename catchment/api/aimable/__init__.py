"""The Aimable face: spaces, collections and their connectors under ``/v1``."""
