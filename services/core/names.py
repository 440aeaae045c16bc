"""Names of accounts and teams: which look alike, and which would pass for somebody with authority.

Names are lower-case ASCII letters, digits and hyphens, so no other script can imitate them; what is left are the few
pairs within ASCII that Unicode's table of confusables (UTS 39) or a small font makes look the same.
"""

import re

__all__ = ["PSEUDONYM", "RESERVED", "is_reserved", "skeleton"]

PSEUDONYM = "deleted-"  # how the names of deleted accounts begin, and no other

_ALIKE = (("0", "o"), ("1", "l"), ("rn", "m"), ("vv", "w"))
_HYPHENS = re.compile("-+")

RESERVED = frozenset(
    """
    admin administrator anonymous api everyone help lethe me mod moderator nobody null operator organiser organizer
    platform root security staff support system team undefined unknown user www you
    """.split()  # noqa: SIM905 - a column of words is longer than this page
)


def skeleton(name: str) -> str:
    """Return the form that all names have in common which look like this one."""
    for written, seen in _ALIKE:
        name = name.replace(written, seen)
    return _HYPHENS.sub("-", name)


def is_reserved(name: str) -> bool:
    """Tell whether a name is, or looks like, one that only an operator may give."""
    return _bare(name) in _RESERVED_BARE or _bare(name).startswith(_bare(PSEUDONYM))


def _bare(name: str) -> str:
    return skeleton(name).replace("-", "").replace("i", "l")


_RESERVED_BARE = frozenset(map(_bare, RESERVED))
