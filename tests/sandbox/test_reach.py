"""No seed reaches anything outside of its cell: files in `reach/`, all in one submission."""

import pytest

from tests.sandbox.attacks import Attack, attacks, carried, expect_closed
from tests.sandbox.place import Ending, Place

REACH = attacks("reach")


@pytest.fixture(scope="module")
def ending(place: Place) -> Ending:
    ending = place.run(carried("reach", [attack for attack in REACH if attack.runs_in(place.name)]))
    assert ending.kind == "scored", ending
    return ending


@pytest.mark.parametrize("attack", REACH, ids=lambda attack: attack.name)
def test_attempt_reaches_nothing(place: Place, ending: Ending, attack: Attack) -> None:
    expect_closed(place, attack, ending)


def test_afterwards_honest_code_makes_the_same_models(place: Place, ending: Ending) -> None:
    assert place.run_honest() == place.honest


def test_without_cells_attempts_reach_what_cells_keep_away(weak_place: Place) -> None:
    """So each attempt would show a hole."""
    found = set(weak_place.run(carried("reach", REACH)).found)
    assert {attack.name for attack in REACH if "weak" not in attack.facts} <= found


def test_in_an_open_container_attempts_reach_what_more_than_the_cells_keeps_away(open_container: Place) -> None:
    """So these, too, would show a hole. Some others would end the launcher there."""
    chosen = [attack for attack in REACH if "weak" in attack.facts]
    ending = open_container.run(carried("reach", chosen))
    assert set(ending.found) == {attack.name for attack in chosen}, ending
