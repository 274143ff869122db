"""Commands that compare runs: `ftrun compare` and `ftrun diff`."""
