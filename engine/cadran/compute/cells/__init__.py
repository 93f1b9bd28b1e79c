"""The answers of scans put together to the cells of each KPI."""
