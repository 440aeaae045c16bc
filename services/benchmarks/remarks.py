"""What a build notices in its data. Remarks stop nothing: real data have duplicates, and small ones lack classes."""

import hashlib
from itertools import combinations

import numpy as np

from services.benchmarks.cutting import Cut
from services.benchmarks.datasets import Dataset
from services.benchmarks.examples import Examples

__all__ = ["remarks_on"]


def remarks_on(dataset: Dataset, whole: Cut) -> tuple[str, ...]:
    """Tell in sentences what the loader passed over, which classes are missing, and which images are in two sets."""
    return (*dataset.notes, *_classes(dataset, whole), *_equal_pixels(dataset, whole))


def _classes(dataset: Dataset, whole: Cut) -> list[str]:
    sets = whole.splits.named()
    labels = {name: np.unique(sets[name].labels) for name in sets}
    trained = np.union1d(labels["retain"], labels["forget"])
    found = [
        f"All {len(sets[name])} images of the {name} set are of one class, {labels[name][0]}: {consequence}."
        for name, consequence in (
            ("retain", "models learn to answer it always"),
            ("validation", "its accuracy says little"),
            ("test", "accuracy on it says little"),
        )
        if len(labels[name]) == 1
    ]
    if absent := sorted(set(range(whole.classes)) - set(trained.tolist())):
        found.append(
            f"{len(absent)} of {whole.classes} classes have no training image: {', '.join(map(str, absent[:10]))}"
            f"{', …' if len(absent) > 10 else ''}."
        )
    return found


def _equal_pixels(dataset: Dataset, whole: Cut) -> list[str]:
    """Compare all images of all sets, two sets at a time, by the hashes of their pixels."""
    digests = {name: _digests(examples) for name, examples in whole.splits.named().items()}
    found = []
    for first, second in combinations(digests, 2):
        places = {digest: place for place, digest in reversed(list(enumerate(digests[first])))}
        equal = [place for place, digest in enumerate(digests[second]) if digest in places]
        if equal:
            one = dataset.name_of(int(whole.positions[first][places[digests[second][equal[0]]]]))
            other = dataset.name_of(int(whole.positions[second][equal[0]]))
            found.append(
                f"Images of the {second} set whose pixels equal those of one of the {first} set: {len(equal)}, such as "
                f"{other} and {one}."
            )
    return found


def _digests(examples: Examples) -> list[bytes]:
    return [hashlib.blake2b(image.tobytes(), digest_size=16).digest() for image in examples.images]
