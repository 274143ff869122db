"""From a recipe to the graph of stage calls, and the key of each."""
