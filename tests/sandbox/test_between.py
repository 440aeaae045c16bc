"""Two sandboxes that run at once learn nothing of each other: files in `between/`, all in one submission in both."""

import pytest

from tests.sandbox.attacks import Attack, attacks, carried, expect_closed
from tests.sandbox.place import Ending, Place

BETWEEN = attacks("between")
PLACES = pytest.mark.parametrize("place", ["docker", "gvisor"], indirect=True, scope="module")


@pytest.fixture(scope="module")
def endings(place: Place) -> list[Ending]:
    chosen = [attack for attack in BETWEEN if attack.runs_in(place.name)]
    endings = place.run_both(carried("between", chosen))
    assert [ending.kind for ending in endings] == ["scored", "scored"], endings
    return endings


@PLACES
@pytest.mark.parametrize("attack", BETWEEN, ids=lambda attack: attack.name)
def test_sandboxes_do_not_meet(place: Place, endings: list[Ending], attack: Attack) -> None:
    for ending in endings:
        expect_closed(place, attack, ending)


@PLACES
def test_afterwards_honest_code_makes_the_same_models(place: Place) -> None:
    assert place.run_honest() == place.honest


def test_sandboxes_that_share_everything_meet_in_every_way(shared_place: Place) -> None:
    """So each attack would show a hole."""
    endings = shared_place.run_both(carried("between", BETWEEN))
    assert [ending.kind for ending in endings] == ["scored", "scored"], endings
    assert {name for ending in endings for name in ending.found} == {attack.name for attack in BETWEEN}, endings
