"""Evaluations run on Postgres, Redis and S3 while parts of the installation break at random."""
