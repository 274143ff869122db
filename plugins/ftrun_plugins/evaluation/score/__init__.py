"""The stage `score`."""
