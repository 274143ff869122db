"""Shell completion of verbs, recipes, groups, keys and run ids, for bash, zsh and fish.

Hydra's completion knows neither verbs nor runs, and takes a second. This one reads slow data from an index file.
"""
