"""Rescoring a phase by another metric or from new runs, publishing and undoing it; and the record of all acts."""
