"""A running installation for every test here."""

import pytest

from tests.installation import installation, sandbox_kind

__all__ = ["installation", "sandbox_kind"]


@pytest.fixture
def seeds() -> int:
    """So many that something can break in their midst."""
    return 64


@pytest.fixture
def shard_seeds() -> int:
    """So few that a worker of two slots leaves shards in the queue when it dies."""
    return 16
