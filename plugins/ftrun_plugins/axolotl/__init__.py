"""Training with axolotl: its configuration, checked against its own schema."""
