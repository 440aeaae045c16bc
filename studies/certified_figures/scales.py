"""The settings of each figure on each dataset: those of the paper, and smaller ones if there are few points."""

from dataclasses import dataclass

__all__ = ["EPSILONS", "SCALES", "STEPS", "Scale"]

EPSILONS = (0.05, 0.1, 0.5, 1.0, 2.0, 5.0)  # of figure 3a, nats
STEPS = (1, 2, 5)  # K of figure 3a


@dataclass(frozen=True, slots=True)
class Scale:
    """Numbers of points to forget, and noise at which n points still suffice to learn."""

    definition: str  # of the benchmark whose data, split and constants are taken
    sigma: float  # of figures 3b, 4 and 5
    total: int  # points that figure 3b forgets, one request after another
    requests: tuple[int, ...]  # points in each request
    batch_sizes: tuple[int, ...]  # of mini-batches, each a divisor of the largest
    sigmas: tuple[float, ...]  # of figure 3c
    points: int  # S of figure 3c
    curves: tuple[int, ...]  # S of figure 4
    counts: tuple[int, ...]  # S of figure 5


def _paper(definition: str) -> Scale:
    return Scale(
        definition=definition,
        sigma=0.03,
        total=100,
        requests=(5, 10, 20),
        batch_sizes=(32, 128, 512),
        sigmas=(0.01, 0.05, 0.1, 0.2, 0.5, 1.0),
        points=100,
        curves=(1, 50, 100),
        counts=(1, 10, 50, 100, 500, 1000),
    )


SCALES = {
    "digits": Scale(
        definition="certified-digits",
        sigma=0.1,
        total=40,
        requests=(5, 10, 20),
        batch_sizes=(16, 64),
        sigmas=(0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0),
        points=8,
        curves=(1, 8, 16),
        counts=(1, 2, 4, 8, 16, 32, 64),
    ),
    "mnist": _paper("certified-mnist"),
    "cifar10": _paper("certified-cifar10"),
}
