"""What is remembered between runs: which jobs ran, what values were known when, alerts, and every delivery's fate."""
