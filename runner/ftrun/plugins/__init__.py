"""Find, load and check plugins, and keep what they register."""
