"""What outlives a run, in the project's folder ``.cadran``."""
