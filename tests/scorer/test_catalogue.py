"""What the scorer computes and what the catalogue names are the same things."""

import re
from dataclasses import asdict

import numpy as np
import pytest

from services.core import catalogue
from services.core.catalogue import Better
from services.scorer import judging
from services.scorer.metrics import METRICS, SUITES, AlarmKind, gaussian, lethe_1, lethe_2, neurips_2023, score
from tests.scorer.outputs import World


def test_metrics_are_those_of_the_catalogue() -> None:
    assert set(METRICS) == set(catalogue.METRICS)
    assert all(name == known.name == METRICS[name].name for name, known in catalogue.METRICS.items())
    assert catalogue.DEFAULT_METRIC in catalogue.METRICS


@pytest.mark.parametrize("name", list(METRICS))
def test_a_card_has_a_ceiling_if_the_catalogue_says_so(name: str) -> None:
    world = World()
    card = METRICS[name](world.evidence(world.retrained(32), oracle=32))
    assert (card.ceiling is not None) == catalogue.METRICS[name].has_ceiling


def test_suites_and_their_columns_are_those_of_the_catalogue() -> None:
    assert {name: suite.columns for name, suite in SUITES.items()} == {
        name: tuple(column.name for column in known.columns) for name, known in catalogue.SUITES.items()
    }


def test_a_column_beside_the_oracles_names_one_that_is_there_to_compare_with() -> None:
    pairs = [
        (column, catalogue.find_column(suite.name, column.oracle_column))
        for suite in catalogue.SUITES.values()
        for column in suite.columns
        if column.oracle_column
    ]
    assert len(pairs) == 30
    for column, beside in pairs:
        assert beside is not None
        assert (column.better, beside.better, beside.unit) == (Better.ORACLE, Better.NEITHER, column.unit)
    assert catalogue.find_column("ssd", "none") is catalogue.find_column("none", "mia") is None


def test_flags_are_those_that_metrics_raise() -> None:
    raised = {
        neurips_2023.TOO_FEW_DISTINCT_MODELS,
        lethe_1.TOO_FEW_EFFECTIVE_MODELS,
        lethe_2.FORGET_SET_PINNED,
        lethe_2.JOINTLY_DIFFERENT,
        lethe_2.NOTHING_TO_FORGET,
        "gaussian_doubtful",  # on scores of version 0.1.0
        lethe_1.NO_CEILING,
        score.NOT_INDEPENDENT,
        judging.ORDER_UNKNOWN,
    }
    assert set(catalogue.FLAGS) == raised
    assert all(name == flag.name for name, flag in catalogue.FLAGS.items())


def test_figures_in_the_meaning_of_flags_are_those_of_the_metrics() -> None:
    def figures(flag: str) -> list[int]:
        known = catalogue.FLAGS[flag]
        return [int(one) for one in re.findall(r"\d+", f"{known.meaning} {known.consequence}")]

    assert figures("too_few_distinct_models") == [neurips_2023.MIN_DISTINCT_MODELS, 0]
    assert figures("too_few_effective_models") == [
        1,  # of lethe-1
        lethe_1.MIN_EFFECTIVE_MODELS,
        2 * lethe_1.MIN_EFFECTIVE_MODELS,
        lethe_1.MIN_SCORED_MODELS,
        0,
    ]
    assert figures("gaussian_doubtful") == [np.rint(100 * gaussian.MAX_MISFITS)]


def test_alarms_are_those_of_the_catalogue() -> None:
    assert list(catalogue.ALARMS) == list(AlarmKind)
    assert all(kind == alarm.kind for kind, alarm in catalogue.ALARMS.items())


def test_everything_has_words() -> None:
    columns = [column for suite in catalogue.SUITES.values() for column in suite.columns]
    for kind in (catalogue.METRICS, catalogue.FLAGS, catalogue.ALARMS, catalogue.SUITES):
        for one in kind.values():
            assert all(text for text in asdict(one).values() if text not in (False, None))
    for column in columns:
        assert column.title and column.unit and column.meaning
