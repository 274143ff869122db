"""Serves what a run made behind OpenAI's API: base and tuned model, on this machine or where the run's backend is."""
