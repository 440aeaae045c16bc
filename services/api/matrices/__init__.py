"""Matrices: start, show, export and cancel, for those who run or review a competition."""
