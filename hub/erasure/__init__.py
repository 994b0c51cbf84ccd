"""Forgetting a person everywhere, for good."""
