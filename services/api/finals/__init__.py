"""Sealed finals: selections of teams, and what the organiser does with a final."""
