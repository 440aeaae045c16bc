"""How far the numbers of a benchmark and of a leaderboard can be trusted, from the measurements that are stored."""
