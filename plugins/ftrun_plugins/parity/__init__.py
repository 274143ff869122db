"""Proves that what will be served is what was trained: the same tokens, the same end of a turn, the same weights."""
