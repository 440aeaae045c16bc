"""Race the compiled 2023 metric against its definition: `python -m benches.score_speed`.

Both sides get the same examples, in one run, and must agree. The definition compares all confidences with all ~161,000
thresholds as one matrix per example, as the published code does (which also tiles float64 and is slower still).
The floor is unavoidable work: sorting both sides of an example (numpy, one thread).
"""

import argparse
import multiprocessing
import os
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Argument = TypeVar("Argument")
Result = TypeVar("Result")
Sides = tuple[NDArray[np.float64], NDArray[np.float64]]

MODELS = 512
EXAMPLES = 200
CLASSES = 10
AIM_S = 2.5


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--slow-examples", type=int, default=2, help="examples per row for the definition")
    slow_examples = parser.parse_args().slow_examples
    with tempfile.TemporaryDirectory() as cache:
        print(f"First call in a fresh clone (compiles): {_in_fresh_process(_first_call, cache):.1f} s")
    print(f"First call with the compiled code on disk: {_in_fresh_process(_first_call, None):.1f} s\n")
    _print_race(slow_examples)
    print("\nOurs, S = 2,000 examples, 512 models a side, 10 classes, in a process of its own:")
    for name, job in (
        ("epsilons and F", _big_epsilons),
        ("neurips-2023, whole score", partial(_big_score, "neurips-2023")),
        ("lethe-1, whole score", partial(_big_score, "lethe-1")),
    ):
        first_s, next_s, peak_mb = _in_fresh_process(_timed, job)
        print(f"  {name:28s} {first_s:6.2f} s, {next_s:5.2f} s   peak memory {peak_mb:4.0f} MB, arrays included")
    print(f"The first entry of a benchmark, and each further one. Aim for lethe-1: {AIM_S} s for a further one.")


def _print_race(slow_examples: int) -> None:
    from benches.by_definition import example_epsilon
    from services.scorer.metrics import epsilons

    print(f"Per example, ours on {EXAMPLES} examples, the definition on the first {slow_examples} of them:")
    print("     N  spread   definition       ours     ratio      floor   ours/floor   largest difference")
    rng = np.random.default_rng(0)
    for models, spread in ((64, 1.0), (MODELS, 0.3), (MODELS, 1.0), (MODELS, 3.0)):
        unlearned, retrained = _draw(rng, models, EXAMPLES, spread)
        pairs = [(unlearned[:, s], retrained[:, s]) for s in range(slow_examples)]
        slow_s, slow = _best_of(1, partial(_each, example_epsilon, pairs))
        ours_s, ours = _best_of(5, partial(epsilons, unlearned, retrained))
        floor_s, _ = _best_of(5, partial(_sort, unlearned, retrained))
        slow_ms, ours_ms, floor_ms = slow_s * 1e3 / slow_examples, ours_s * 1e3 / EXAMPLES, floor_s * 1e3 / EXAMPLES
        difference = np.abs(ours[:slow_examples] - np.array(slow, dtype=np.float64)).max()
        print(
            f"{models:6d}  {spread:6.1f}  {slow_ms:8.1f} ms  {ours_ms:6.3f} ms  {slow_ms / ours_ms:8,.0f}"
            f"  {floor_ms:6.3f} ms  {ours_ms / floor_ms:11.1f}   {difference:.1e}"
        )


def _draw(rng: np.random.Generator, models: int, examples: int, spread: float) -> Sides:
    centre = rng.normal(0, 3, examples)
    unlearned = centre + spread * rng.normal(0.3, 1, (models, examples))
    return unlearned, centre + spread * rng.normal(size=(models, examples))


def _each(example_epsilon: Callable[..., float | None], pairs: list[Sides]) -> list[float | None]:
    return [example_epsilon(*pair) for pair in pairs]


def _sort(*sides: NDArray[np.float64]) -> None:
    for side in sides:
        np.sort(side.T, axis=1)


def _best_of(times: int, job: Callable[[], Result]) -> tuple[float, Result]:
    best = np.inf
    for _ in range(times):
        start = time.perf_counter()
        result = job()
        best = min(best, time.perf_counter() - start)
    return best, result


def _in_fresh_process(job: Callable[[Argument], Result], argument: Argument) -> Result:
    with multiprocessing.get_context("spawn").Pool(1) as process:
        return process.apply(job, (argument,))


def _first_call(cache: str | None) -> float:
    if cache is not None:
        os.environ["NUMBA_CACHE_DIR"] = cache
    start = time.perf_counter()
    from services.scorer.metrics import epsilons

    epsilons(np.zeros((8, 1)), np.ones((8, 1)))
    return time.perf_counter() - start


def _timed(job: Callable[[], Callable[[], object]]) -> tuple[float, float, float]:
    run = job()
    seconds = []
    for _ in range(2):
        start = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - start)
    status = Path("/proc/self/status").read_text()  # getrusage would tell the peak of the parent that forked us
    return seconds[0], seconds[1], int(status.split("VmHWM:")[1].split()[0]) / 1024


def _big_epsilons() -> Callable[[], object]:
    from services.scorer.metrics import epsilons, forgetting_quality

    unlearned, retrained = _draw(np.random.default_rng(1), MODELS, 2000, 1.0)
    epsilons(unlearned[:, :1], retrained[:, :1])
    return lambda: forgetting_quality(epsilons(unlearned, retrained), MODELS)


def _big_score(metric: str) -> Callable[[], object]:
    from services.scorer.metrics import METRICS, Evidence, Models

    rng = np.random.default_rng(2)
    centre = rng.normal(0, 2, (2000, CLASSES)).astype(np.float32)
    sides = [
        Models(
            centre + rng.standard_normal((MODELS, 2000, CLASSES), dtype=np.float32),
            rng.uniform(0.8, 0.9, MODELS),
            rng.uniform(0.8, 0.9, MODELS),
        )
        for _ in range(3)
    ]
    labels = rng.integers(0, CLASSES, 2000)
    few = [replace(side, forget_logits=side.forget_logits[:, :4]) for side in sides]
    METRICS[metric](Evidence(few[0], few[1], labels[:4], second_oracle=few[2]))  # loads the compiled code
    return lambda: METRICS[metric](Evidence(replace(sides[0]), sides[1], labels, second_oracle=sides[2]))


if __name__ == "__main__":
    main()
