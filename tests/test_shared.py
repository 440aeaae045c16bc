"""What processes share is made by the first of them, and again if that failed."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.shared import made_once


def test_it_is_made_by_the_first_and_again_only_after_a_failure(tmp_path_factory: pytest.TempPathFactory) -> None:
    made: list[Path] = []

    def fail(place: Path) -> None:
        place.mkdir()
        raise ValueError

    def make(place: Path) -> None:
        made.append(place)
        place.mkdir()
        (place / "file").write_text("made")

    with pytest.raises(ValueError):
        made_once(tmp_path_factory, "shared-by-a-test", fail)
    with ThreadPoolExecutor(4) as pool:
        found = set(pool.map(lambda _: made_once(tmp_path_factory, "shared-by-a-test", make), range(8)))
    assert len(made) == len(found) == 1
    assert (found.pop() / "file").read_text() == "made"
