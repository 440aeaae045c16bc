"""The devices of runs. They are not in the models, so that a command that only names a device loads no database."""

from enum import StrEnum

__all__ = ["Device"]


class Device(StrEnum):
    CPU = "cpu"
    GPU = "gpu"
