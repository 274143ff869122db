"""The stage `format`: rows of a source become checked examples, for training and held out."""
