"""The simulated evaluations of `studies.coverage` are what their description says, and are scored by every metric."""

import numpy as np
import pytest

from services.scorer.metrics import METRICS
from studies.coverage import ENTRIES, NOISES, Noise, World, coverage, main


@pytest.mark.parametrize("noise", NOISES, ids=lambda noise: noise.name)
def test_noise_has_unit_variance_and_its_correlation(noise: Noise) -> None:
    drawn = noise.draw(np.random.default_rng(0), 20_000, 3)
    found = np.cov(drawn.T)
    assert np.diag(found) == pytest.approx(1, abs=0.05)
    assert found[0, 1] == pytest.approx(noise.correlation, abs=0.05)


def test_doing_more_is_worth_more_in_a_simulated_world() -> None:
    world = World(np.random.default_rng(1), 64, 20, NOISES[0])
    found = [METRICS["lethe-2"](world.evaluate(entry)).forgetting_quality.value for entry in ENTRIES]
    retrained, drifted, half, hardly = found
    assert min(retrained, drifted) > 0.9 > 0.7 > half > 0.3 > hardly


def test_one_row_for_each_metric() -> None:
    rows = list(coverage(16, 5, NOISES[0], ENTRIES[2], count=4, seed=0))
    assert [row.metric for row in rows] == list(METRICS)
    assert all(0 <= row.held <= 1 and row.width > 0 for row in rows)


def test_help_tells_how_long_it_takes(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    assert "about an hour" in capsys.readouterr().out
