"""Formatters that come with ftrun: what makes examples of rows."""
