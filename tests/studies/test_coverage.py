"""Simulated evaluations are what their description says, are scored by every metric, and are kept for a later call."""

from pathlib import Path

import numpy as np
import pytest

from services.scorer.metrics import METRICS
from studies import coverage as study
from studies.coverage import ENTRIES, NOISES, ORIGINALS, coverage, main, world_of
from studies.simulated import Entry, Noise


@pytest.mark.parametrize("noise", NOISES, ids=lambda noise: noise.name)
def test_noise_has_unit_variance_and_its_correlation(noise: Noise) -> None:
    random = np.random.default_rng(0)
    drawn = noise.draw(random, 20_000, noise.loadings(random, 3))
    found = np.cov(drawn.T)
    assert np.diag(found) == pytest.approx(1, abs=0.05)
    assert found[0, 1] == pytest.approx(noise.correlation, abs=0.05)


def test_examples_have_their_own_parts_in_factors() -> None:
    random = np.random.default_rng(0)
    noise = Noise("factors", 0.3, factors=4)
    loadings = noise.loadings(random, 400)
    found = np.cov(noise.draw(random, 4000, loadings).T)
    assert found.diagonal().mean() == pytest.approx(1, abs=0.1)
    assert found[0, 1:] == pytest.approx((loadings[:, 0] @ loadings)[1:], abs=0.1)


def test_doing_more_is_worth_more_in_a_simulated_world() -> None:
    world = world_of(np.random.default_rng(1), 20, NOISES[0])
    learned = world.learn(ORIGINALS, deviation=0.5, noisy=True)
    found = [METRICS["lethe-2"](world.evaluate(entry, learned, 64)).forgetting_quality.value for entry in ENTRIES]
    retrained, drifted, half, hardly = found
    assert min(retrained, drifted) > 0.9 > 0.7 > half > 0.3 > hardly


def test_runs_of_one_original_are_copies_if_an_entry_adds_no_noise() -> None:
    world = world_of(np.random.default_rng(2), 5, NOISES[0])
    evidence = world.evaluate(Entry("deterministic", 0.3, 1.0, noise=0.0), world.learn(4, deviation=1.0), 16)
    assert evidence.starts is not None
    assert evidence.unlearned.distinct == 4
    first = evidence.unlearned.forget_logits[evidence.starts == 0]
    assert np.ptp(first, axis=0).max() == 0
    assert np.ptp(evidence.oracle.forget_logits[..., 0], axis=0).min() > 0


def test_one_row_for_each_metric() -> None:
    rows = list(coverage(16, 5, NOISES[0], ENTRIES[2], count=4, seed=0))
    assert [row.metric for row in rows] == list(METRICS)
    assert all(0 <= row.held <= 1 and row.width > 0 for row in rows)


def test_a_later_call_goes_on_where_an_earlier_one_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(study, "QUICK", ((8, 5),))
    monkeypatch.setattr(study, "NOISES", NOISES[:1])
    monkeypatch.setattr(study, "ENTRIES", ENTRIES[1:3])
    call = ["--count", "10", "--keep", str(tmp_path / "rows.jsonl")]
    main(call)
    first = capsys.readouterr().out
    lines = (tmp_path / "rows.jsonl").read_text().splitlines(keepends=True)
    assert len(lines) == 2
    (tmp_path / "rows.jsonl").write_text(lines[0])  # as after an end in between
    simulated = []

    def counting(*setting: object, **named: object) -> object:
        simulated.append(setting)
        return coverage(*setting, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(study, "coverage", counting)
    main(call)
    assert capsys.readouterr().out == first
    assert [setting[-1] for setting in simulated] == [ENTRIES[2]]


def test_help_tells_how_long_it_takes(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    assert "about an hour" in capsys.readouterr().out
