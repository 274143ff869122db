"""API for plugins: types of rows, recipes, stages and artifacts, and the protocols that plugins implement."""
