"""`ftrun schema`: a JSON Schema of recipe files, for editors, and what each key means."""
