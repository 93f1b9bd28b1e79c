"""What the data must hold before a number is computed from it."""
