"""JSON Schema of recipe files for editors, and the documentation of their keys (`ftrun schema`)."""
