"""Print the part of a lock that some extras need: `python3 deploy/requirements.py LOCK EXTRA...`.

A lock says of every package which others brought it (`# via`). What is printed keeps its hashes. torch, which the locks
leave out, brings its own all the same.
"""

import re
import sys
import tomllib
from collections.abc import Iterable
from pathlib import Path

PROJECT = Path(__file__).parents[1] / "pyproject.toml"
NAME = re.compile(r"[A-Za-z0-9._-]+")


def named(requirement: str) -> str:
    """Give the name of a package as all spellings of it agree on."""
    found = NAME.match(requirement)
    assert found
    return re.sub(r"[-_.]+", "-", found.group()).lower()


def wanted(project: dict[str, object], extras: Iterable[str]) -> set[str]:
    """Name what the project itself asks for: its dependencies, and those of extras and of the extras these name."""
    dependencies, optional = project["dependencies"], project["optional-dependencies"]
    assert isinstance(dependencies, list)
    assert isinstance(optional, dict)
    found = {named(one) for one in dependencies}
    for extra in extras:
        for one in optional[extra]:
            inner = re.fullmatch(rf"{project['name']}\[(.+)\]", one)
            found |= wanted(project, inner[1].split(",")) if inner else {named(one)}
    return found


def entries(lock: str) -> dict[str, tuple[str, set[str]]]:
    """Read the packages of a lock: the lines of each, and what brought it."""
    found = {}
    for lines in re.split(r"\n(?=\w)", lock)[1:]:
        brought_by = lines.rpartition("# via ")[2].split(",")
        found[named(lines)] = (lines.rstrip(), {named(one.strip()) for one in brought_by})
    return found


def select(lock: str, names: set[str]) -> str:
    """Give the lines of these packages, and of all that they bring."""
    every, kept = entries(lock), set(names)
    while new := {name for name, (_, brought_by) in every.items() if name not in kept and brought_by & kept}:
        kept |= new
    return "\n".join(body for name, (body, _) in every.items() if name in kept) + "\n"


if __name__ == "__main__":
    found = wanted(tomllib.loads(PROJECT.read_text())["project"], sys.argv[2:])
    sys.stdout.write(select(Path(sys.argv[1]).read_text(), found))
