"""How long the data of a competition are kept after its end, and deleting them without breaking what was published."""
