"""Formatters that come with ftrun. A formatter converts a row into an example."""
