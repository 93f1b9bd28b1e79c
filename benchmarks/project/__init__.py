"""The whole sample project, from cold start to the written report, against SQL written by hand (see ../README.md)."""

AS_OF = "2026-07-01"
