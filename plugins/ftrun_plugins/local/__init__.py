"""Runs stage calls as processes of this machine."""
