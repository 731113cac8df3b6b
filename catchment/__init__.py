"""Catchment keeps searchable collections true to the places where people keep documents."""
