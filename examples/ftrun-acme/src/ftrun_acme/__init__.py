"""Example of a plugin for ftrun: assigns the support tickets of Acme to the right team."""
