"""Training with axolotl: configuration, tokenization, training and merge."""
