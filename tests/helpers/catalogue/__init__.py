"""Inputs of the stage `format`, wrong and unusual, each with the message or the example that it must give."""
