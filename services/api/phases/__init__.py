"""Phases: their settings, how they are added and changed."""
