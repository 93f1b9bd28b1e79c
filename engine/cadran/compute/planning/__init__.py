"""Which scans a run needs, over which spans, and when their figures are final."""
