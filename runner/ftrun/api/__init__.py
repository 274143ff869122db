"""What a plugin imports: types of rows, recipes, stages and artifacts, and the protocols that plugins implement."""
