"""Scans that share their passes: rows are reduced once per dataset to small cells, from which each scan is rolled up."""
