"""People of a competition: who runs and reviews it, who takes part, and the codes that invite to it."""
