"""What a test needs that takes long, or that not every machine has: a marker for each. `--fast` leaves them all out.

Markers follow from the fixtures that a test uses and from the place it lies in. No test carries one by hand.
The longest files come first, the others in the order of `KINDS`, so that processes that share them out end together.
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
LONGEST = (  # in this order, though those with a browser after all others
    "compose/test_compose.py",  # its images take minutes
    "worker/test_notebooks.py",
    "sandbox/test_harm.py",
    "faults/test_killed_worker.py",
    "worker/test_sandbox_conformance.py",
    "web/test_accessibility.py",
    "web/test_contest_walk.py",
    "web/test_participant_walk.py",
    "web/test_organiser_walk.py",
    "web/test_hostile_text.py",
)
FIXTURES = {
    "docker": {"docker_engine"},
    "browser": {"browser"},
    "training": {"faces", "certified"},
    "processes": {"installation", "run", "measure"},
    "servers": {"postgres_url", "redis_url", "s3_url"},
}
PLACES = {  # folders and files of which every test is of a kind
    "docker": {"sandbox"},
    "training": {"baselines", "benches", "benchmarks", "studies", "cli/test_benchmark_command.py"},
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
    kinds: dict[Path, int] = {}
    for item in items:
        kinds[item.path] = min(_first_kind(item), kinds.get(item.path, len(KINDS)))
    return sorted(items, key=lambda item: (*_place(item.path), kinds[item.path]))


def _place(file: Path) -> tuple[bool, int]:
    name = file.relative_to(HERE).as_posix()
    return "browser" in _kinds_of(file), LONGEST.index(name) if name in LONGEST else len(LONGEST)


def _first_kind(item: pytest.Item) -> int:
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
