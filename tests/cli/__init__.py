"""The command line as a user meets it: what it prints, what it writes, and how it ends."""
