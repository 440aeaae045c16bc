"""Sandboxes, which isolate untrusted code and untrusted data."""
