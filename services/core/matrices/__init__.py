"""Matrices: chosen entries on chosen benchmarks, run beside the contest for those who run it."""
