"""Import of configurations of other tools as recipes: the command `ftrun import`."""
