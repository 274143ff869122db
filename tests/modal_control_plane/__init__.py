"""A Modal control plane of our own on loopback, which really runs the functions: test equipment, see README.md."""
