"""Trainer configuration: built from a recipe, checked against axolotl's schema."""
