"""Texts to typed values: what a column of a text file holds, told from all its values. For connectors, and for rows in tests."""
