"""A benchmark that a study builds for itself, and finds again."""

from pathlib import Path

from services.benchmarks.build import build_benchmark
from services.benchmarks.catalogue import find_definition
from services.benchmarks.order import Order
from services.core.bundle.directory import Bundle
from services.core.bundle.manifest import MANIFEST

__all__ = ["own_benchmark"]


def own_benchmark(
    place: Path, name: str, *, seeds: int, originals: int, secret: bytes, robustness: bool = False
) -> Bundle:
    """Open the benchmark at a place; build it by its definition's name if it is not there. Nobody reads its fitness."""
    if (place / MANIFEST).is_file():
        return Bundle(place)
    place.parent.mkdir(parents=True, exist_ok=True)
    definition = find_definition(name)
    order = Order(
        definition=definition,
        dataset=definition.read(None, cache=place.parent),
        seeds=seeds,
        quality=lambda *_: 0.0,
        secret=secret,
        originals=originals,
        robustness=robustness,
    )
    return build_benchmark(order, place)
