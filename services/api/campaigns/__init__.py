"""Bulk acts of organisers on a phase: rescoring, running again, publishing, undoing; and the record of all acts."""
