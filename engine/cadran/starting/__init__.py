"""A new project: what ``cadran init`` writes, from a connector's starter and the shipped catalogue of KPIs."""
