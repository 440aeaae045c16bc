"""What theory fixes of the figures, the paper's own steps, and that every figure is drawn."""

import itertools
from dataclasses import replace
from pathlib import Path

import pytest

from services.benchmarks.datasets.registry import NoDirectory
from services.scorer.certificates import d2d, langevin, stochastic
from studies.certified_figures.__main__ import FIGURES, main
from studies.certified_figures.lab import Lab, TooFewSteps, open_lab
from studies.certified_figures.picture import table
from studies.certified_figures.privacy import measure_3a
from studies.certified_figures.published import FIGURES as PUBLISHED
from studies.certified_figures.published import Saved, on_grid
from studies.certified_figures.scales import SCALES
from studies.certified_figures.sequences import measure_3b
from studies.certified_figures.waits import measure_3c, measure_4, measure_5

STEPS = 270  # the burn-in of the digits


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    """The digits, with few trials and the fewest steps."""
    found = open_lab("digits", None, trials=24, cache=tmp_path, steps=STEPS)
    found.scale = replace(
        found.scale, total=4, requests=(2, 4), batch_sizes=(64,), sigmas=(0.05, 0.2, 1.0), counts=(1, 8)
    )
    return found


def test_langevin_beats_d2d_after_one_step_and_equals_retraining(lab: Lab) -> None:
    (found,) = measure_3a(lab, epsilons=(1.0,), steps=(1,))

    assert found.unlearned.mean > found.d2d.mean + 10
    assert found.unlearned.mean == pytest.approx(found.retrained.mean, abs=15)  # 4 standard errors
    assert found.sigma < found.published_sigma / 100


def test_accuracy_rises_and_noise_falls_with_epsilon(lab: Lab) -> None:
    found = measure_3a(lab, epsilons=(0.5, 5.0), steps=(2,))

    assert found[0].unlearned.mean + 15 < found[1].unlearned.mean
    assert found[0].sigma > found[1].sigma
    assert found[0].published_sigma > found[1].published_sigma


def test_larger_requests_and_smaller_batches_take_fewer_passes(lab: Lab) -> None:
    found = measure_3b(lab)

    by_method = {
        method: [one.total for one in found if one.method == method] for method in ("Langevin", "D2D", "stochastic")
    }
    assert by_method["Langevin"][0] > by_method["Langevin"][1]
    assert by_method["D2D"] == sorted(by_method["D2D"])
    assert by_method["stochastic"] == sorted(by_method["stochastic"])  # the full batch is last
    assert all(sum(one.passes) == one.total and len(one.passes) * one.points == 4 for one in found)
    assert all(one.accuracy.mean > 70 for one in found)


def test_sequences_meet_epsilon_1_with_the_points_that_are_left(lab: Lab) -> None:
    """4 points go: before the last request 254 are left of 256 in requests of 2, and 253 in one batch one by one."""
    found = {one.name: one for one in measure_3b(lab)}
    sigma = lab.scale.sigma

    by_two, one_batch = found["Langevin, 2 at once"].passes, found["stochastic, full batch"].passes
    last = replace(lab.problem, n=254)
    assert langevin.certify_sequence(last, points=[2, 2], steps=by_two, sigma=sigma)[-1].epsilon <= 1
    fewer = [by_two[0], by_two[1] - 1]
    assert langevin.certify_sequence(last, points=[2, 2], steps=fewer, sigma=sigma)[-1].epsilon > 1
    left = replace(lab.problem, n=253)
    for one in stochastic.certify_sequence(left, points=[1] * 4, batch_size=253, epochs=one_batch, sigma=sigma):
        assert one.epsilon <= 1
    d2d_base = d2d.published_state_base(left, dimension=64, epsilon=1.0)
    assert found[f"D2D, I = {d2d_base}"].sigma == d2d.published_state_sigma(left, steps=d2d_base, epsilon=1.0)


def test_steps_and_accuracy_fall_with_sigma(lab: Lab) -> None:
    found = measure_3c(lab)

    assert [one.wait.steps for one in found] == sorted({one.wait.steps for one in found}, reverse=True)
    assert found[0].unlearned.mean > found[1].unlearned.mean > found[2].unlearned.mean
    assert all(one.noiseless > one.unlearned.mean for one in found)


def test_steps_fall_with_epsilon_and_grow_with_points(lab: Lab) -> None:
    rows = [[wait.steps for wait in measure_4(lab) if wait.points == points] for points in lab.scale.curves]

    for row in rows:
        assert row == sorted(set(row), reverse=True)
        assert row[-1] >= 1
    for fewer, more in itertools.pairwise(rows):
        assert all(low < high for low, high in zip(fewer, more, strict=True))


def test_steps_of_figure_5_grow_with_points(lab: Lab) -> None:
    waits, tried = measure_5(lab)

    for epsilon in (0.5, 1.0, 2.0):
        one, eight = [wait.steps for wait in waits if wait.epsilon == epsilon]
        assert one < eight
    assert [one.wait.points for one in tried] == [1, 8]


@pytest.mark.parametrize("saved", [one for figure in PUBLISHED.values() for one in figure])
def test_steps_at_the_constants_of_mnist_are_the_published_ones(saved: Saved) -> None:
    assert on_grid(saved.recomputed()) == saved.steps


def test_learning_without_noise_is_one_model_and_unlearning_on_goes_nowhere(lab: Lab) -> None:
    """Both end at one optimum: with nothing forgotten, further steps do not move what learning left."""
    settled = lab.learn(sigma=0)
    further = lab.unlearn(settled, sigma=0, steps=50, forgotten=0)

    assert settled.shape == (1, 1, 64)
    assert float((further - settled).abs().max()) < 1e-4
    assert lab.publish(settled, sigma=0.1).shape == (24, 1, 64)


def test_fewer_steps_than_the_burn_in_are_refused(tmp_path: Path) -> None:
    with pytest.raises(TooFewSteps, match="270"):
        open_lab("digits", None, trials=2, cache=tmp_path, steps=STEPS - 1)


@pytest.mark.parametrize("dataset", ["mnist", "cifar10"])
def test_a_dataset_of_files_asks_for_its_directory(dataset: str, tmp_path: Path) -> None:
    with pytest.raises(NoDirectory):
        open_lab(dataset, None, trials=2, cache=tmp_path)


@pytest.mark.parametrize("name", sorted(SCALES))
def test_the_largest_batch_is_a_multiple_of_every_other(name: str) -> None:
    scale = SCALES[name]
    assert all(max(scale.batch_sizes) % size == 0 for size in scale.batch_sizes)
    assert all(scale.total % size == 0 for size in scale.requests)


@pytest.mark.parametrize("name", ["3a", "4"])
def test_one_command_draws_a_figure_and_prints_its_numbers(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main([name, "--trials", "2", "--steps", str(STEPS), "--out", str(tmp_path)])

    drawn = (tmp_path / f"certified-{name}.svg").read_text(encoding="utf-8")
    assert drawn.startswith("<svg ")
    assert "var(" not in drawn
    assert f"Figure {name}: {FIGURES[name][0]}" in capsys.readouterr().out


def test_a_table_separates_thousands() -> None:
    assert table(("K", "σ"), [(1234, 0.02)]) == "| K | σ |\n| --- | --- |\n| 1,234 | 0.02 |"
