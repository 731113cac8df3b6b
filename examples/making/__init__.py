"""Makers of the corpus's binary documents, one file per family of formats."""
