"""The table of tuned baselines: equal budgets, a choice by the tuning draws alone, intervals over draws."""

import ast
from math import sqrt
from pathlib import Path

import pytest

from services.cli.demo import BASELINES, baseline_files
from services.core.bundle.directory import Bundle
from studies.baselines.entries import Entry
from studies.baselines.scenarios import Ran
from studies.tuning.__main__ import main
from studies.tuning.draws import REPORTING, TUNING
from studies.tuning.measuring import Result, choose, count_steps, mean_of, measure
from studies.tuning.methods import DEFAULT, FACTORS, KNOBS, tuned
from studies.tuning.page import Row, Tried, write_page
from tests.bundles import make_tiny_bundle

STEPPING = b"""
from torch import optim


def unlearning(net, retain_loader, forget_loader, val_loader):
    optimizer = optim.SGD(net.parameters(), lr=0.1)
    for images, labels in retain_loader:
        optimizer.zero_grad()
        net(images).sum().backward()
        optimizer.step()
    for _ in forget_loader:
        optimizer.step()
"""


@pytest.fixture
def bundle(tmp_path: Path) -> Bundle:
    return make_tiny_bundle(tmp_path / "tiny")


def result(score: float) -> Result:
    return Result(score=score, published=score / 10)


def test_every_baseline_is_tuned_by_as_many_settings_or_is_a_reference() -> None:
    assert set(KNOBS) == {path.stem for path in baseline_files()} - {"identity", "retrain"}
    for name in KNOBS:
        sources = [tuned(name, factor).source for factor in FACTORS]
        assert len(set(sources)) == len(FACTORS)
        assert all(ast.parse(source) for source in sources)


def test_the_default_is_the_file_itself() -> None:
    assert tuned("scrub", DEFAULT).source == (BASELINES / "scrub.py").read_bytes()
    assert b"LEARNING_RATE, MOMENTUM, WEIGHT_DECAY = 0.005, 0.9, 5e-4" in tuned("scrub", 10).source


def test_no_draw_is_for_tuning_and_reporting() -> None:
    assert not set(TUNING) & set(REPORTING)
    assert len(REPORTING) >= 3


def test_the_best_mean_is_chosen_and_of_equals_the_nearest_to_the_default() -> None:
    nothing = [result(0.0), result(0.0)]
    assert choose(dict.fromkeys(FACTORS, nothing)) == DEFAULT
    one_good = dict.fromkeys(FACTORS, nothing) | {10.0: [result(0.5), Result(failure="exception")]}
    assert choose(one_good) == 10.0
    assert choose(one_good | {0.1: [result(0.3), result(0.3)]}) == 0.1


def test_an_interval_over_draws_is_students() -> None:
    """Of 1, 2, 3: the deviation is 1, and Student's quantile for 2 degrees of freedom 4.302653 (any table)."""
    mean = mean_of([1.0, 2.0, 3.0])
    assert mean.value == 2.0
    assert mean.margin == pytest.approx(4.302653 / sqrt(3), rel=1e-6)
    assert mean_of([0.4]).margin is None


def test_steps_are_counted_and_the_hook_goes(bundle: Bundle) -> None:
    retain, forget = bundle.manifest.counts.retain, bundle.manifest.counts.forget
    expected = -(-retain // 64) + -(-forget // 64)
    assert [count_steps(Entry("stepping", STEPPING), bundle) for _ in range(2)] == [expected, expected]
    assert count_steps(Entry("identity", (BASELINES / "identity.py").read_bytes()), bundle) == 0


def test_both_metrics_judge_the_same_runs(bundle: Bundle) -> None:
    retrained = measure(Ran(bundle.oracle(), 0.5), bundle)
    assert retrained.failure is None
    assert 0 <= retrained.utility <= 1
    assert retrained.run_s == 0.5
    assert measure(Ran(failure="timeout"), bundle) == Result(failure="timeout")


def test_a_page_shows_defaults_beside_tuned_and_retraining_of_as_many_steps(bundle: Bundle) -> None:
    references = [
        Row("identity", "reference", 0, [result(0.0)] * 3, reference=True),
        Row("retraining", "reference", 100, [result(1.0)] * 3, reference=True),
    ]
    rows = [
        Row("scrub", "default", 25, [result(0.1), result(0.2), result(0.3)]),
        Row("scrub", "tuned: × 3", 50, [result(0.6), Result(failure="timeout"), result(0.6)]),
        Row("finetune", "default", 10, [result(0.0)] * 3),
    ]
    nothing = {factor: [result(0.0)] * 2 for factor in FACTORS}
    tried = [Tried("scrub", nothing | {3.0: [result(0.7)] * 2}, 3.0), Tried("finetune", nothing, DEFAULT)]

    page = write_page(bundle.manifest, 64, references, rows, tried)

    lines = {tuple(cell.strip() for cell in line.strip("|").split("|")) for line in page.splitlines() if "|" in line}
    cells = {line[:2]: line[2:] for line in lines}
    assert cells["`scrub`", "default"][:2] == ("0.200 ± 0.248", "0.250")
    assert cells["`scrub`", "tuned: × 3; failed: timeout"][:2] == ("0.400 ± 0.861", "0.500")
    assert cells["`finetune`", "default"][:2] == ("0.000 ± 0.000", "0.100")
    assert cells["`scrub`", "`LEARNING_RATE`"][3] == "**0.700**"
    assert page.index("| `scrub` | default") < page.index("| `finetune` | default")


def test_an_unknown_method_is_refused_with_those_that_are_known(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--methods", "scrub,magic"])
    assert "unknown: magic. Choose from amnesiac" in capsys.readouterr().err
