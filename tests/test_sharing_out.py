"""What is said of tests by their place is said of places that exist, and parts of a file share what is costly."""

from collections import Counter

import pytest

from tests.kinds import HERE, LONGEST, PLACES, all_slow
from tests.sandbox.place import PLACES as ATTACKED
from tests.sharing_out import BY_CASE, BY_PLACE, HALVED, PARTS, share_of


@pytest.mark.parametrize("place", sorted(set(LONGEST).union(*PLACES.values())))
def test_places_of_a_kind_exist(place: str) -> None:
    assert (HERE / place).exists()


def test_only_what_lies_in_such_a_place_is_left_out_unread() -> None:
    assert all_slow(HERE / "baselines") and all_slow(HERE / "baselines/test_noise.py")
    assert not any(all_slow(path) for path in (HERE, HERE / "cli", HERE / "cli/test_starting.py"))


@pytest.mark.parametrize("file", HALVED)
def test_the_longest_files_are_halved_between_their_tests(file: str) -> None:
    assert (HERE.parent / file).exists()
    tests = [f"{file}::test_{number}" for number in range(20)]
    assert len({share_of(test) for test in tests}) == 2
    assert all(share_of(f"{test}[docker-1]") == share_of(test) for test in tests)


@pytest.mark.parametrize("file", BY_PLACE)
def test_attacks_are_shared_out_by_the_places_attacked(file: str) -> None:
    assert (HERE.parent / file).exists()
    shares = {place: share_of(f"{file}::test_harm[{place}-fork_bomb]") for place in ATTACKED}
    assert len(set(shares.values())) == len(ATTACKED)
    assert all(share_of(f"{file}::test_afterwards[{place}]") == shares[place] for place in ATTACKED)


@pytest.mark.parametrize("file", BY_CASE)
def test_a_test_of_many_cases_is_shared_out_by_them(file: str) -> None:
    assert (HERE.parent / file).exists()
    cases = [f"{file}::test_page[chromium-{number}]" for number in range(80)]
    counts = Counter(share_of(case) for case in cases)
    assert len(counts) == PARTS
    assert max(counts.values()) <= 2 * len(cases) / PARTS


def test_other_files_stay_whole() -> None:
    assert share_of("tests/api/test_web.py::test_pages[a::b]") == "tests/api/test_web.py"
