"""The stage `generate`."""
