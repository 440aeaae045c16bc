"""The seed keys of a final's evaluations: whoever knows the revealed secret derives them as the scorer did."""

from uuid import UUID

from services.core.seeds import derive_key

__all__ = ["seed_key"]


def seed_key(secret: bytes, benchmark: str, selected_id: UUID) -> bytes:
    """Derive the key of the evaluation of a selected submission on a benchmark, which its digest names."""
    return derive_key(secret, "final", f"{benchmark}|{selected_id}")
