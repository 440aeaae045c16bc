"""The test of independence: exact for honest runs in any sandboxes, powerful against every cheat of the study."""

from dataclasses import replace

import numpy as np
import pytest

from services.scorer.metrics import AlarmKind, Runs
from services.scorer.metrics.independence import ALARM_P, MIN_RUNS, examine
from services.scorer.scoring import score_measurements
from studies.independence import HONEST, HOSTILE, SHAPES, Entry, Shape, examined
from tests.scorer.evidence import draw_evidence

SMALL = Shape(128, 16)
KEY = bytes(32)


def one_sandbox(runs: int) -> Runs:
    return Runs(np.zeros(runs, dtype=int), np.arange(runs))


@pytest.mark.parametrize("shape", [SMALL, Shape(48, 48), Shape(96, 16, 8), Shape(40, 1)], ids=str)
def test_p_values_of_honest_runs_are_uniform_or_larger(shape: Shape) -> None:
    """60 evaluations: no alarm, and no more p-values below 0.1, 0.3 and 0.5 than 4 standard deviations allow."""
    found = np.array([examined(HONEST, shape, seed).p_value for seed in range(60)])
    assert found.min() > ALARM_P
    for level in (0.1, 0.3, 0.5):
        assert (found <= level).mean() < level + 4 * np.sqrt(level * (1 - level) / len(found))


@pytest.mark.parametrize("entry", [one for one in HOSTILE if "weight 0.1" not in one.name], ids=lambda one: one.name)
def test_dependent_runs_ring_in_512_runs(entry: Entry) -> None:
    assert examined(entry, SHAPES["512 in sandboxes of 64"], seed=1).p_value <= ALARM_P


def test_order_counts_and_the_numbers_of_models_do_not() -> None:
    """The same drifting runs ring wherever the seeds were dealt, and not if they ran in another order."""
    rng = np.random.default_rng(3)
    drift = np.linspace(-1, 1, 64)[:, None] + 0.5 * rng.normal(size=(64, 20))
    dealt = rng.permutation(64)

    in_time = examine(drift[dealt], [], replace(one_sandbox(64), position=dealt), key=KEY)
    by_number = examine(drift[dealt], [], one_sandbox(64), key=KEY)

    assert in_time is not None
    assert by_number is not None
    assert in_time.p_value <= ALARM_P < by_number.p_value


def test_different_originals_dealt_out_in_turn_are_no_dependence() -> None:
    rng = np.random.default_rng(4)
    originals = np.arange(128) % 4
    margins = 3 * rng.normal(size=(4, 20))[originals] + rng.normal(size=(128, 20))
    runs = one_sandbox(128)

    known = examine(margins, [], replace(runs, original=originals), key=KEY)
    unknown = examine(margins, [], runs, key=KEY)

    assert known is not None
    assert unknown is not None
    assert unknown.p_value <= ALARM_P < known.p_value


def test_the_answer_is_the_same_every_time() -> None:
    margins = np.random.default_rng(5).normal(size=(64, 8))
    assert examine(margins, [], one_sandbox(64), key=KEY) == examine(margins, [], one_sandbox(64), key=KEY)


def test_too_few_runs_and_equal_models_are_not_tested() -> None:
    few = np.random.default_rng(6).normal(size=(MIN_RUNS - 1, 8))
    assert examine(few, [], one_sandbox(MIN_RUNS - 1), key=KEY) is None
    assert examine(np.ones((64, 8)), [], one_sandbox(64), key=KEY) is None


def test_the_alarm_names_what_stands_out() -> None:
    evidence = draw_evidence(models=64, oracle=64)
    moved = evidence.unlearned.forget_logits.copy()
    moved[:, np.arange(24), evidence.forget_labels] += np.linspace(0, 3, 64)[:, None]
    drifting = replace(evidence.of(replace(evidence.unlearned, forget_logits=moved)), runs=one_sandbox(64))

    kinds = {alarm.kind: alarm.message for alarm in score_measurements("lethe-1", drifting).alarms}

    assert "are too uneven in" in kinds[AlarmKind.DEPENDENT_RUNS] or "too alike" in kinds[AlarmKind.DEPENDENT_RUNS]
    untested = score_measurements("lethe-1", replace(drifting, runs=None)).alarms
    assert AlarmKind.DEPENDENT_RUNS not in {alarm.kind for alarm in untested}
    honest = score_measurements("lethe-1", replace(evidence, runs=one_sandbox(64))).alarms
    assert AlarmKind.DEPENDENT_RUNS not in {alarm.kind for alarm in honest}
