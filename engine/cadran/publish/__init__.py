"""Judgements to pages: reports, charts, formatting."""
