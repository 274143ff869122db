"""Stage `loss`."""
