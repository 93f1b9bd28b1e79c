"""The SQL that benchmarks hold cadran against gives cadran's values."""
