"""Procedurally drawn faces, a stand-in for datasets that need a licence. They show no real person."""

from services.benchmarks.synthetic_faces.drawing import SIDE, SMALL_SIDE, portrait, small
from services.benchmarks.synthetic_faces.layouts import LAYOUTS, TooFewImages
from services.benchmarks.synthetic_faces.population import AGE_GROUPS, InventedPerson, age_groups, subject_of
from services.benchmarks.synthetic_faces.writing import (
    CannotWrite,
    OutOccupied,
    UnknownLayout,
    WrongNumber,
    contact_sheet,
    write_faces,
)

__all__ = [
    "AGE_GROUPS",
    "LAYOUTS",
    "SIDE",
    "SMALL_SIDE",
    "CannotWrite",
    "InventedPerson",
    "OutOccupied",
    "TooFewImages",
    "UnknownLayout",
    "WrongNumber",
    "age_groups",
    "contact_sheet",
    "portrait",
    "small",
    "subject_of",
    "write_faces",
]
