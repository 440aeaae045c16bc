"""Datasets, read from local files in their published layout and checked on the way. Nothing is fetched."""

from services.benchmarks.datasets.dataset import BadDataset, Dataset, Parts, Split, split
from services.benchmarks.datasets.digits import digits

__all__ = ["BadDataset", "Dataset", "Parts", "Split", "digits", "split"]
