"""cadran against SQL written by hand, on data of a size that takes seconds (see README.md)."""
