"""The embedded database, and how tables come into it: from where, with what room, side by side."""
