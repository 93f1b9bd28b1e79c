"""One SQL statement for each scan: its rows, its dates, its segments, its measures."""
