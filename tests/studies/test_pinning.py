"""The study of pinned forget sets: forgeries are called pinned, honest entries are not."""

import numpy as np
import pytest

from studies import pinning
from studies.coverage import NOISES, world_of
from studies.pinning import CASES, Forgery, called_pinned, main
from studies.simulated import Entry

SIZE = (64, 60, 8)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_forgeries_are_called_pinned_and_honest_entries_are_not(case: Entry | Forgery) -> None:
    found = called_pinned(case, SIZE, NOISES[0], count=10, seed=0)
    if isinstance(case, Forgery) and case.part < 0.5:
        assert found >= 0.9
    if not isinstance(case, Forgery):
        assert found == 0


def test_a_forgery_deviates_less_on_forget_examples_than_on_controls() -> None:
    world = world_of(np.random.default_rng(0), 60, NOISES[0])
    evidence = pinning._evaluate(world, Forgery("pinned", 0.0), 512, 1)
    forget = evidence.unlearned.forget_logits[..., 0].mean(axis=0) - world.middle[:60]
    assert evidence.unlearned.test is not None
    test = evidence.unlearned.test.margins.mean(axis=0) - world.middle[60:260]
    assert np.std(forget) < 0.1 < 0.8 < np.std(test)


def test_a_line_for_each_entry_and_noise(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(pinning, "CASES", CASES[:2])
    monkeypatch.setattr(pinning, "QUICK", ((8, 20, 2),))
    main(["--count", "10"])
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2 + 2 * 3
    assert lines[2].count("|") == lines[0].count("|")
