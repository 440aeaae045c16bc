"""A key in every keyring that a process can name."""

# weak: the profile refuses the calls
from tools import call

ADD, KEYCTL, SEARCH = 248, 250, 10
KEYRINGS = (-1, -2, -3, -4, -5)


def look():
    return [ring for ring in KEYRINGS if call(KEYCTL, SEARCH, ring, b"user", b"left", 0)[0] > 0] or None


def plant():
    for ring in KEYRINGS:
        call(ADD, b"user", b"left", b"1", 1, ring)
