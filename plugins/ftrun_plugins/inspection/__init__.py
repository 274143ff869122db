"""The command `ftrun data`: what is in the dataset of a recipe, before anything is trained or uploaded."""
