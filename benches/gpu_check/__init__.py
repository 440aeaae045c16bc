"""Shows on one machine that Lethe works on its GPU, and how fast: `make gpu-check`.

It needs neither Docker nor a server. Each part runs in a process of its own that is ended at its limit, so the whole
takes 12 minutes at most. `docs/benchmarks.md` explains the table.
"""
