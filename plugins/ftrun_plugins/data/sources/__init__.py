"""Sources of rows for training and evaluation."""
