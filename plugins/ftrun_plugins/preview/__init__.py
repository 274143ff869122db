"""`ftrun preview`: shows rows as the model will see them, before a training costs time or money."""
