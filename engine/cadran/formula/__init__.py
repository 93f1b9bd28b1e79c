"""Expressions to measures: parsing, vocabulary, names."""
