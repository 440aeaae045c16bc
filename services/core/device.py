"""What runs are made on. Apart from the tables, so that a command which only names a device loads no database."""

from enum import StrEnum

__all__ = ["Device"]


class Device(StrEnum):
    CPU = "cpu"
    GPU = "gpu"
