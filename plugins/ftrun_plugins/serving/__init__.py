"""Server of the base and the tuned model of a run, with OpenAI's API, on this machine or on the run's backend."""
