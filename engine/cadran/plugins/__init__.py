"""The contract that third parties import, and how plugins are found."""
