"""Formats in which models write calls of tools and thoughts, and the parsers of the engines that read them."""
