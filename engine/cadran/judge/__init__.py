"""Values to judgements: targets, comparisons, alerts."""
