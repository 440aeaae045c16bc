"""Hostile bytes: what a valid file becomes when somebody, or chance, edits it."""

from collections.abc import Sequence
from random import Random

from hypothesis import strategies as st

__all__ = ["mutated", "mutations_of"]

LARGEST_EDIT = 12
TELLING = [b"\0", b"\xff", b"\xff\xff\xff\xff", b"\x7f", b"[", b"{", b'"', b"-1", b"1e999", b"null"]
TELLING += [b"PK\x01\x02", b"\xed\xa0\x80"]  # of a zip's directory, and half a surrogate pair


def mutated(data: bytes, random: Random) -> bytes:
    """Replace, insert, delete, repeat or cut off a few bytes."""
    edited = bytearray(data)
    for _ in range(random.randint(1, 5)):
        at = random.randrange(len(edited) + 1)
        until = min(len(edited), at + random.randint(1, LARGEST_EDIT))
        new = random.choice([random.choice(TELLING), random.randbytes(until - at)])
        match random.randrange(8):
            case 0 | 1 | 2:
                edited[at : at + len(new)] = new
            case 3:
                edited[at:at] = new
            case 4:
                del edited[at:until]
            case 5:
                edited[at:at] = edited[at:until] * random.randint(1, 100)
            case 6:
                if at < len(edited):
                    edited[at] ^= 1 << random.randrange(8)
            case _:
                del edited[at:]
                edited += bytes(random.choice([0, 0, 30]))
    return bytes(edited)


def mutations_of(files: Sequence[bytes]) -> st.SearchStrategy[bytes]:
    """Draw a file, edited."""
    return st.builds(mutated, st.sampled_from(files), st.randoms(use_true_random=False))
