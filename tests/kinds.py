"""What a test needs that takes long: a marker for each, so that `make test-fast` can leave those tests out.

Markers follow from the fixtures that a test uses and from the folder it lies in. No test carries one by hand.
Files come in the order of `KINDS`, so that two processes that share them out meet the long ones first and end together.
"""

from collections.abc import Sequence
from pathlib import Path

import pytest

from services.core.settings import SandboxKind

__all__ = ["KINDS", "in_order", "mark_kinds"]

HERE = Path(__file__).parent
KINDS = {
    "docker": "starts containers",
    "processes": "starts services or sandboxes as processes",
    "training": "trains models",
    "browser": "looks at pages in Chromium",
}
FIRST_FOLDER = "compose"  # its images take minutes
LAST = len(KINDS) + 1
FIXTURES = {
    "docker": {"docker_engine"},
    "browser": {"browser"},
    "training": {"faces", "certified"},
    "processes": {"installation", "run", "measure"},
}
FOLDERS = {"docker": {"sandbox"}, "training": {"baselines", "benchmarks", "studies"}, "browser": {"web"}}


def mark_kinds(item: pytest.Item) -> None:
    """Mark a test with every kind it is of."""
    for kind in KINDS:
        if _is_of(kind, item):
            item.add_marker(kind)


def in_order(items: Sequence[pytest.Item]) -> list[pytest.Item]:
    """Put long files first, and those with a browser last: Playwright's loop stays in its thread to the end."""
    places: dict[Path, int] = {}
    for item in items:
        places[item.path] = min(_place(item), places.get(item.path, LAST))
    return sorted(items, key=lambda item: places[item.path])


def _place(item: pytest.Item) -> int:
    folder = _folder(item)
    if folder == FIRST_FOLDER:
        return -1
    if folder in FOLDERS["browser"]:
        return LAST
    return next((place for place, kind in enumerate(KINDS) if item.get_closest_marker(kind)), len(KINDS))


def _folder(item: pytest.Item) -> str:
    return item.path.relative_to(HERE).parts[0]


def _is_of(kind: str, item: pytest.Item) -> bool:
    fixtures = set(getattr(item, "fixturenames", ()))
    return (
        _folder(item) in FOLDERS.get(kind, ())
        or bool(fixtures & FIXTURES[kind])
        or (kind == "docker" and _in_docker(item))
    )


def _in_docker(item: pytest.Item) -> bool:
    """Whether it is the Docker sandbox's turn: fixtures that serve both sandboxes ask for the engine only then."""
    call = getattr(item, "callspec", None)
    return call is not None and any(value is SandboxKind.DOCKER for value in call.params.values())
