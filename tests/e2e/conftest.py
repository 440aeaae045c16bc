"""A running installation for every test here."""

from tests.installation import installation, sandbox_kind, seeds, shard_seeds

__all__ = ["installation", "sandbox_kind", "seeds", "shard_seeds"]
