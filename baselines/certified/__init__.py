"""Entries whose forgetting is proven, for the benchmarks `certified-*`: each file one submission, which declares it."""
