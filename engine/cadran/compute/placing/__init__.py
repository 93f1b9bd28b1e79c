"""Where each statement runs: at the source of its tables, or here."""
