"""Importer of fine-tuning jobs of OpenAI."""
