"""The locks: every package by version and hash, and for an image the part of them that its service needs."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LOCKS = ROOT / "requirements"
PIN = re.compile(r"^([\w.-]+)==[\w.]+(?: ; [^\\]+)? \\\n((?:    --hash=sha256:[0-9a-f]{64}(?: \\)?\n?)+)", re.MULTILINE)


def pins(text: str) -> dict[str, str]:
    """Give the lines of every package of a lock, each with a hash at least."""
    found = {match[1].lower(): match[0] for match in PIN.finditer(text)}
    named = [line.partition("==")[0].lower() for line in text.splitlines() if re.match(r"[\w.-]+", line)]
    assert sorted(found) == sorted(named)
    return found


def part(*extras: str) -> set[str]:
    """Give what `deploy/requirements.py` prints for extras."""
    command = [sys.executable, "deploy/requirements.py", "requirements/production.lock", *extras]
    return set(pins(subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout))


@pytest.mark.parametrize("name", ["production.lock", "development.lock"])
def test_a_lock_pins_every_package_by_version_and_hash(name: str) -> None:
    """A path of somebody's machine in the lock would break every other one."""
    text = (LOCKS / name).read_text()
    assert pins(text)
    assert not re.search(r"^(?:-|.*(?:file:|find-links|index-url))", text, re.MULTILINE)


def test_production_is_a_part_of_development() -> None:
    production, development = (pins((LOCKS / f"{name}.lock").read_text()) for name in ("production", "development"))
    assert production.items() < development.items()
    assert {"fastapi", "sqlalchemy", "docker", "numba", "sympy"} <= set(production)
    assert not {"pytest", "mypy", "ruff", "moto", "hypothesis", "playwright"} & set(production)


def test_an_image_gets_what_its_service_needs() -> None:
    api, scorer, worker = part("api"), part("scorer"), part("worker", "scorer")
    assert {
        "fastapi",
        "starlette",
        "uvicorn",
        "argon2-cffi",
        "sqlalchemy",
        "psycopg-binary",
        "redis",
        "async-timeout",
    } <= api
    assert {"numba", "llvmlite", "matplotlib", "sqlalchemy"} <= scorer
    assert {"docker", "pillow", "scikit-learn", "numba", "sympy"} <= worker
    assert not {"numba", "docker", "sympy"} & api
    assert not {"fastapi", "docker", "sympy"} & scorer
    assert not {"fastapi", "uvicorn"} & worker


def test_torch_is_pinned_apart_as_the_project_pins_it() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    lines = [line for line in (LOCKS / "torch.txt").read_text().splitlines() if not line.startswith("#")]
    assert lines == [one for one in project["optional-dependencies"]["worker"] if one.startswith("torch")]


def test_every_dependency_has_an_upper_bound() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    every = [*project["dependencies"], *(one for extra in project["optional-dependencies"].values() for one in extra)]
    assert [one for one in every if not re.search(r"<|==|^lethe-unlearning\[", one)] == []
