"""Packs the starting kit into one zip for download, with the packages of a phase's environment if one is named."""

import io
import zipfile
from functools import cache
from pathlib import Path

from services.core.errors import NotFound
from services.core.models import EnvironmentRow

__all__ = ["starting_kit"]

FOLDER = Path(__file__).parents[3] / "starting_kit"
EPOCH = (1980, 1, 1, 0, 0, 0)  # a fixed date, so that the same files give the same bytes


def starting_kit(environment: EnvironmentRow | None = None) -> bytes:
    """Zip the kit's files, and a list of an environment's packages.

    Raises NotFound if this installation does not include the kit.
    """
    files = dict(_files())
    if environment is not None:
        files["packages.txt"] = _packages(environment).encode()
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(f"starting_kit/{name}", EPOCH), content)
    return packed.getvalue()


@cache
def _files() -> dict[str, bytes]:
    files = [path for path in sorted(FOLDER.glob("*")) if path.is_file()] if FOLDER.is_dir() else []
    if not files:
        raise NotFound("This installation has no starting kit. Download it from Lethe's repository: starting_kit/.")
    return {path.name: path.read_bytes() for path in files}


def _packages(environment: EnvironmentRow) -> str:
    """List the packages as pip's requirements."""
    about = (
        f"# The environment {environment.name}: Python {environment.python} and these packages, without a network.\n"
    )
    return about + "".join(f"{name}=={version}\n" for name, version in environment.packages.items())
