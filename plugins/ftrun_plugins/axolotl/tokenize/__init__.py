"""The stage `tokenize`."""
