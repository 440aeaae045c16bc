"""Sealed finals: what teams select, who enters, and what stays hidden until the organiser publishes."""
