"""Architectures, each a file that stands alone: it is copied into the bundle, and sandboxes import it from there."""
