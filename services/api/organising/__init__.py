"""An organiser's view of a competition: all submissions and their progress in the queue."""
