"""What a user can do with a recipe: load it, plan it, run it. The command line and Python programs call the same."""
