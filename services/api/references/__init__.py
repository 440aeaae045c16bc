"""The reference rows of a phase, for those who run the competition."""
