"""How far the numbers of a phase can be trusted."""
