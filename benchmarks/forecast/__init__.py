"""How often intervals hold what comes, on data whose laws are known."""
