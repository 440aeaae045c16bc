"""What an organiser sees of a whole competition: everybody's submissions, and what becomes of them in the queue."""
