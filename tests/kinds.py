"""What a test needs that takes long, or that not every machine has: a marker for each. `--fast` leaves them all out.

Markers follow from the fixtures that a test uses and from the place it lies in. No test carries one by hand.
Files come in the order of `KINDS`, so that two processes that share them out meet the long ones first and end together.
"""

from collections.abc import Sequence
from functools import cache
from pathlib import Path

import pytest

from services.core.settings import SandboxKind

__all__ = ["KINDS", "all_slow", "in_order", "is_slow", "mark_kinds"]

HERE = Path(__file__).parent
KINDS = {
    "docker": "starts containers",
    "processes": "starts services or sandboxes as processes",
    "training": "trains models",
    "servers": "asks Postgres, Redis or an S3 store",
    "browser": "looks at pages in Chromium",
}
FIRST_FILE = "compose/test_compose.py"  # its images take minutes
LAST = len(KINDS) + 1
FIXTURES = {
    "docker": {"docker_engine"},
    "browser": {"browser"},
    "training": {"faces", "certified"},
    "processes": {"installation", "run", "measure"},
    "servers": {"postgres_url", "redis_url", "s3_url"},
}
PLACES = {  # folders and files of which every test is of a kind
    "docker": {"sandbox"},
    "training": {"baselines", "benchmarks", "studies", "cli/test_benchmark_command.py"},
    "browser": {"web"},
    "processes": {
        "benches",
        "cli/test_evaluate_command.py",
        "e2e/test_load.py",
        "e2e/test_third_metric_by_command.py",
        "starting_kit/test_evaluating_it.py",
        "worker/test_attempt.py",
        "worker/test_cuda_stand_in.py",
    },
}

TURNS: dict[str, set[str]] = {"docker": {SandboxKind.DOCKER}, "servers": {"postgres", "redis", "s3"}}


def mark_kinds(item: pytest.Item) -> None:
    """Mark a test with every kind it is of."""
    for kind in KINDS:
        if _is_of(kind, item):
            item.add_marker(kind)


def is_slow(item: pytest.Item) -> bool:
    """Whether a marked test is of any kind."""
    return any(item.get_closest_marker(kind) for kind in KINDS)


def all_slow(path: Path) -> bool:
    """Whether every test of a folder or file is of a kind, which is known before it is imported."""
    return bool(_kinds_of(path))


def in_order(items: Sequence[pytest.Item]) -> list[pytest.Item]:
    """Put long files first, and those with a browser last: Playwright's loop stays in its thread to the end."""
    places: dict[Path, int] = {}
    for item in items:
        places[item.path] = min(_place(item), places.get(item.path, LAST))
    return sorted(items, key=lambda item: places[item.path])


def _place(item: pytest.Item) -> int:
    if item.path == HERE / FIRST_FILE:
        return -1
    if "browser" in _kinds_of(item.path):
        return LAST
    return next((place for place, kind in enumerate(KINDS) if item.get_closest_marker(kind)), len(KINDS))


@cache
def _kinds_of(path: Path) -> set[str]:
    """The kinds of every test of a folder or file."""
    return {kind for kind, places in PLACES.items() if any(path.is_relative_to(HERE / place) for place in places)}


def _is_of(kind: str, item: pytest.Item) -> bool:
    return kind in _kinds_of(item.path) or bool(_fixtures(item) & FIXTURES[kind]) or _has_turn_of(kind, item)


def _fixtures(item: pytest.Item) -> set[str]:
    return set(getattr(item, "fixturenames", ()))


def _has_turn_of(kind: str, item: pytest.Item) -> bool:
    """Whether it is a server's turn: fixtures that serve two databases, sandboxes or stores ask for one only then."""
    call = getattr(item, "callspec", None)
    turns = () if call is None else call.params.values()
    return any(isinstance(turn, str) and turn in TURNS.get(kind, ()) for turn in turns)
