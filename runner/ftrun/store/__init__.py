"""The store: artifacts and runs on disk."""
