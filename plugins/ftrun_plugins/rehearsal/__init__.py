"""Runs any recipe end to end on this machine's CPU with a tiny model: the wiring, before the real run is paid for."""
