"""Sentences that a user could say."""
