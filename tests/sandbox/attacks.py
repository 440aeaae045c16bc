"""Attacks as files: what each tries, where it runs, and what cannot hold.

The first line of a file says what it tries. Comments below it, one a line, say more:

    # ends: scored | exception     how a submission that does harm must end, one of several kinds
    # hidden: yes                  it carries hidden data, which no message may show
    # also: process                the process sandbox stops it, too
    # docker: REASON               Docker with runc cannot stop it
    # gvisor: REASON               gVisor of 2022 cannot stop it
    # everywhere: REASON           nothing stops it yet
    # weak: REASON                 more than the cells stops it, so only an open container lets it through
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.sandbox.place import Ending, Place

__all__ = ["Attack", "attacks", "carried", "expect_closed"]

HERE = Path(__file__).parent
FACT = re.compile(r"^# (ends|hidden|also|docker|gvisor|everywhere|weak|seeds|timeout): (.+)$", re.MULTILINE)


@dataclass(frozen=True)
class Attack:
    """One attack and what its file says about it."""

    name: str
    source: str

    @property
    def facts(self) -> dict[str, str]:
        """What the file's head says."""
        return dict(FACT.findall(self.source))

    def runs_in(self, place: str) -> bool:
        """Whether the sandbox of a place promises to stop it."""
        return place != "process" or self.facts.get("also") == "process"


def attacks(kind: str) -> list[Attack]:
    """Return all attacks of one kind."""
    return [Attack(path.stem, path.read_text()) for path in sorted((HERE / kind).glob("*.py"))]


def carried(kind: str, chosen: Sequence[Attack]) -> dict[str, str]:
    """Return the files of one submission that carries all these attacks."""
    files = {f"{kind}/{attack.name}.py": attack.source for attack in chosen}
    return files | {"submission.py": (HERE / f"carry_{kind}.py").read_text()}


def expect_closed(place: Place, attack: Attack, ending: Ending) -> None:
    """Fail if the attack found something, unless its file gives a reason."""
    found = ending.found.get(attack.name)
    reason = attack.facts.get("everywhere") or attack.facts.get(place.name)
    if found and reason:
        pytest.xfail(f"{reason}: {found}")
    assert not found, f"{attack.source.splitlines()[0]} Found: {found}"
