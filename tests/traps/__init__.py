"""One test for each trap of the table in docs/traps: the right figure by hand, and the naive one that differs."""
