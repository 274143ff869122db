"""Importer of LLaMA-Factory configurations."""
