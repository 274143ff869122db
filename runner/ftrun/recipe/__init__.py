"""From YAML files and overrides to one frozen, typed recipe."""
