"""Packs the starting kit into one zip for download."""

import io
import zipfile
from functools import cache
from pathlib import Path

from services.core.errors import NotFound

__all__ = ["starting_kit"]

FOLDER = Path(__file__).parents[3] / "starting_kit"
EPOCH = (1980, 1, 1, 0, 0, 0)  # a fixed date, so that the same files give the same bytes


@cache
def starting_kit() -> bytes:
    """Zip the kit's files. Raises NotFound if this installation does not include them."""
    files = [path for path in sorted(FOLDER.glob("*")) if path.is_file()] if FOLDER.is_dir() else []
    if not files:
        raise NotFound("This installation has no starting kit. Download it from Lethe's repository: starting_kit/.")
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in files:
            archive.writestr(zipfile.ZipInfo(f"starting_kit/{path.name}", EPOCH), path.read_bytes())
    return packed.getvalue()
