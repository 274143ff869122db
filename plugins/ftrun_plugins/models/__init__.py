"""Brings base models to the store as Hugging Face folders."""
