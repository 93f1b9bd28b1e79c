"""The conformance kit: what every connector has to keep, as tests that its author runs."""
