"""Shell completion of verbs, recipes, groups, keys and run ids, for bash, zsh and fish.

Hydra's own knows neither verbs nor runs, and takes a second. What costs time to find out is kept in an index.
"""
