"""Trains many models in the same way: in lockstep if that is faster, else one after another. See `train`."""

from services.benchmarks.training.models import Build, Stacked, initialise, perturb, repeat, stacked_logits
from services.benchmarks.training.train import CHUNK, chunk_size, train
from services.benchmarks.training.ways import Way, most_together

__all__ = [
    "CHUNK",
    "Build",
    "Stacked",
    "Way",
    "chunk_size",
    "initialise",
    "most_together",
    "perturb",
    "repeat",
    "stacked_logits",
    "train",
]
