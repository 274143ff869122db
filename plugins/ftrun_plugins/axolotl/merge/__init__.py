"""The stage `merge`."""
