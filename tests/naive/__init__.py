"""A second, slow reading of the KPI language in plain Python loops; shares nothing with the engine."""
