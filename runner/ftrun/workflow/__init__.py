"""Load, plan and run recipes. The command line and Python programs use the same functions."""
