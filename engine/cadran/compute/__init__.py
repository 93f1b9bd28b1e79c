"""Scans to values: planning, SQL, combining, results."""
