"""Jobs, messages and the outbox: what is due, what is said to whom, and what became of it."""
