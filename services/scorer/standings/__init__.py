"""Standings: order, ranks, rank intervals, tie groups and time ratios of leaderboards, computed when pointers move."""
