"""The stage `check`: axolotl's own checks of a configuration, on a CPU, before training."""
