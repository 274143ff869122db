"""The stage `loss`."""
