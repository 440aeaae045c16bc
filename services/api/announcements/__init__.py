"""Announcements of organisers: on the page of a competition, and as an Atom feed."""
