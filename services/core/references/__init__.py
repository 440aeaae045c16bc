"""Reference rows that the platform makes with a phase: which, for whom, and when. The scorer makes them."""
