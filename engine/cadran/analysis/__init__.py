"""Questions that one KPI's values do not answer: funnels, cohorts, scores, what changed and why."""
