"""Importer of axolotl configurations."""
