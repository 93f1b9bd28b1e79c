"""Stand-ins for the APIs that connectors ask: they keep their rows, and fail when they are told to."""
