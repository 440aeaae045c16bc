"""Stand-ins for datasets that only their owners have: as many files, in the same layout, of invented people.

CASIA-SURF, as the evaluation of 2023 read it, has about 30,000 images. Its photographs are not drawn at their own size,
which only reading them would notice: every image becomes 32x32 as soon as it is read.
"""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from services.benchmarks.disk import NoRoom
from services.benchmarks.synthetic_faces import write_faces
from services.benchmarks.synthetic_faces.drawing import SIDE
from services.core.errors import BadInput

__all__ = ["STAND_INS", "StandIn", "stand_in_for"]


@dataclass(frozen=True, slots=True)
class StandIn:
    """How many invented people, and how many images of each, have the size of a dataset."""

    subjects: int
    images_per_subject: int
    side: int = SIDE  # pixels of an image's side
    image_bytes: int = 8192  # an upper bound on the disk that a JPEG takes, in blocks of 4 KiB

    @property
    def images(self) -> int:
        """The number of images in all."""
        return self.subjects * self.images_per_subject

    def require_room(self, place: Path) -> None:
        """Raise NoRoom unless the disk has room for the images."""
        free, needed = shutil.disk_usage(place).free, self.images * self.image_bytes
        if needed > free:
            raise NoRoom(
                f"The stand-in needs up to {needed / 1e9:.2f} GB, but {place} has {free / 1e9:.2f} GB free. Free some "
                "space, or set TMPDIR to a directory on a larger disk."
            )

    def write(self, out: Path, progress: Callable[[int, int], None]) -> None:
        """Draw the images, one at a time on each core, into a directory that does not exist yet."""
        self.require_room(out.parent)
        write_faces(
            out,
            subjects=self.subjects,
            images_per_subject=self.images_per_subject,
            layout="casia-surf",
            progress=progress,
        )


STAND_INS = {"casia-surf": StandIn(subjects=1_500, images_per_subject=20)}


def stand_in_for(dataset: str) -> StandIn:
    """Return the stand-in for a dataset. Raises BadInput if there is none."""
    if dataset not in STAND_INS:
        raise BadInput(
            f"There is no stand-in for {dataset}. Give its files with --data; the dry run then reads them and writes "
            "nothing beside them."
        )
    return STAND_INS[dataset]
