"""What Lethe is called where packages come from, and which version of it is installed."""

__all__ = ["NAME", "installed_version"]

NAME = "lethe-unlearning"


def installed_version() -> str:
    """Read the version from what the installer wrote."""
    from importlib.metadata import version

    return version(NAME)
