"""The name of Lethe's distribution on package indexes, and its installed version."""

__all__ = ["NAME", "installed_version"]

NAME = "lethe-unlearning"


def installed_version() -> str:
    """Read the version from the installed package's metadata."""
    from importlib.metadata import version

    return version(NAME)
