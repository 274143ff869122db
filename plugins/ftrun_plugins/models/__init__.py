"""Base models and data files from other places, fetched into the store."""
