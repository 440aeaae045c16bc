"""Lethe: a competition platform for machine unlearning."""
