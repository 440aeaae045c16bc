"""Modules that do harm end as their files say, and never stop the worker or blame it: files in `harm/`.

Each is a submission of its own; all go through one place, so a later one would notice what an earlier one broke. In
Docker with runc each also has a launcher of its own; in other places they go through one as long as it serves.
"""

import pytest

from tests.sandbox.attacks import Attack, attacks
from tests.sandbox.place import Place

SECRET = str(6 * 7) * 3  # as in tools.py
HARM = attacks("harm")
KEPT_IN = {"gvisor", "process"}  # where a start takes long, or isolates nothing


@pytest.mark.parametrize("attack", HARM, ids=lambda attack: attack.name)
def test_harm_ends_as_its_file_says(place: Place, attack: Attack) -> None:
    facts = attack.facts
    hidden, timeout_s = "hidden" in facts, float(facts.get("timeout", "60"))
    kept = place.name in KEPT_IN
    ending = place.run({"submission.py": attack.source}, hidden=hidden, timeout_s=timeout_s, kept=kept)
    assert ending.kind in facts["ends"].split(" | "), ending
    if hidden and SECRET in ending.message.replace(",", "") and "everywhere" in facts:
        pytest.xfail(f"{facts['everywhere']}: {ending.message}")
    assert not hidden or SECRET not in ending.message.replace(",", "")


def test_afterwards_honest_code_makes_the_same_models(place: Place) -> None:
    assert place.run_honest() == place.honest
    assert place.name not in KEPT_IN or place.run_honest(kept=True).models == place.honest.models
