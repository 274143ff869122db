"""`ftrun preview`: rows as the model will see them, before anything is paid for."""
