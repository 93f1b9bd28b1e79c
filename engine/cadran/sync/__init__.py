"""What is kept of sources that are asked for changes: read, spooled, loaded in one transaction, and read by runs."""
