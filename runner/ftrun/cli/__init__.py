"""The command line: verbs, messages and progress."""
