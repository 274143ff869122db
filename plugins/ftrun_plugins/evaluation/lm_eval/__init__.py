"""Stage `lm_eval`."""
