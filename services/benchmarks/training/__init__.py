"""Trains many models in the same way: in lockstep if that is faster, else one after another. See `train`."""

from services.benchmarks.training.models import Build, Stacked, initialise, perturb, repeat, stacked_logits
from services.benchmarks.training.train import CHUNK, chunk_size, train

__all__ = ["CHUNK", "Build", "Stacked", "chunk_size", "initialise", "perturb", "repeat", "stacked_logits", "train"]
