"""Playing users against a whole installation: `python -m benches.load --help`."""
