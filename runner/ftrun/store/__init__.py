"""Where artifacts and runs live on disk."""
