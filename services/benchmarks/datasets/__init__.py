"""Reads datasets from local files in their published layout and checks them. Nothing is downloaded."""

from services.benchmarks.datasets.dataset import BadDataset, Dataset, Parts, Split, split
from services.benchmarks.datasets.digits import digits

__all__ = ["BadDataset", "Dataset", "Parts", "Split", "digits", "split"]
