"""Judging entries: reading and comparing their code, taking entries and teams off the board, withdrawing."""
