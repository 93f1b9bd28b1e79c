"""Answers of analyses as people read them: tables for the terminal and Markdown, values for templates, records for programs."""
