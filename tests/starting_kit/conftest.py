"""A running installation to submit to."""

from tests.installation import installation, sandbox_kind, seeds, shard_seeds

__all__ = ["installation", "sandbox_kind", "seeds", "shard_seeds"]
