"""The kit as a pytest plugin: ``pytest --cadran-connector=NAME``."""
