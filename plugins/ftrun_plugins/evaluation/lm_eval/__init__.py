"""The stage `lm_eval`."""
