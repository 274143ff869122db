"""The stage `format`: converts the rows of a source into checked examples for training and evaluation."""
