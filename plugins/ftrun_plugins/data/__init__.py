"""Sources, formatters, and the stage `format` that turns rows into examples."""
