"""Text to a checked project: YAML with positions, settings, schema, frozen dataclasses."""
