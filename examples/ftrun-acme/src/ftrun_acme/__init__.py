"""An example of a plugin of ftrun: support tickets of Acme go to the right team."""
