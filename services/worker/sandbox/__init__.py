"""Sandboxes: where code that Lethe does not trust, or data that it does not trust, is kept apart."""
