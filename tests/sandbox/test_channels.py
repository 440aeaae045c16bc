"""No seed learns anything from an earlier seed of its container: files in `channels/`, all in one submission."""

import pytest

from tests.sandbox.attacks import Attack, attacks, carried, expect_closed
from tests.sandbox.place import Ending, Place

pytestmark = pytest.mark.timeout(1200)  # all channels are tried in each of three seeds, before the first test
CHANNELS = attacks("channels")
SEEDS = 3
TIMEOUT_S = 300.0  # gVisor carries each call of all channels in its own time


@pytest.fixture(scope="module")
def ending(place: Place) -> Ending:
    chosen = [attack for attack in CHANNELS if attack.runs_in(place.name)]
    ending = place.run(carried("channels", chosen), seeds=SEEDS, timeout_s=TIMEOUT_S)
    assert ending.kind == "scored", ending
    return ending


@pytest.mark.parametrize("attack", CHANNELS, ids=lambda attack: attack.name)
def test_channel_is_closed(place: Place, ending: Ending, attack: Attack) -> None:
    expect_closed(place, attack, ending)


def test_afterwards_honest_code_makes_the_same_models(place: Place, ending: Ending) -> None:
    assert place.run_honest() == place.honest


def test_without_cells_every_channel_is_open(weak_place: Place) -> None:
    """Except those that something else closes, too. So each attack would show a hole."""
    found = set(weak_place.run(carried("channels", CHANNELS), seeds=SEEDS, timeout_s=TIMEOUT_S).found)
    assert {attack.name for attack in CHANNELS if "weak" not in attack.facts} <= found
