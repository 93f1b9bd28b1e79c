"""What teams run to see that their KPIs mean what they think: the ``tests:`` of a project."""
