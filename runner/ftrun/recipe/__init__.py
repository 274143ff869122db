"""Loading of recipes: from YAML files and overrides to one immutable, typed object."""
