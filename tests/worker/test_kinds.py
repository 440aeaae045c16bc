"""Which way a submission runs, and under which limits."""

from pathlib import Path

import pytest

from services.core.models import Evaluation, Phase, SubmissionKind
from services.worker.kinds import Module, Notebook, kind_of
from services.worker.notebooks import Mode
from services.worker.supervisor import RunLimits, Seed

CACHE = Path("cache")


def evaluation(*, dry_run: bool = False, rehearse: bool = True, audited: bool = False, seeds: int = 8) -> Evaluation:
    phase = Phase(
        seed_timeout_s=2.0,
        notebook_timeout_s=60.0,
        memory_bytes=2**30,
        data_hidden=True,
        cuda_stand_in=False,
        take_first=True,
        rehearse=rehearse,
        robustness=True,
        placebo_audit=audited,
    )
    return Evaluation(phase=phase, seeds=seeds, seed_key=b"k", dry_run=dry_run)


@pytest.mark.parametrize("kind", [SubmissionKind.MODULE, SubmissionKind.ARCHIVE])
def test_modules_and_archives_run_the_seeds_that_are_missing(kind: SubmissionKind) -> None:
    found = kind_of(evaluation(), kind, [2, 5], CACHE)
    assert isinstance(found, Module)
    assert sorted(seed.index for seed in found.seeds) == [2, 5]
    assert found.limits == RunLimits(8, 2.0, 2**30, data_hidden=True, robustness=True)
    assert not found.whole


def test_the_first_64_seeds_have_placebo_runs_if_the_phase_asks_for_them() -> None:
    plain, audited = (
        kind_of(evaluation(audited=one, seeds=80), SubmissionKind.MODULE, range(80), CACHE) for one in (False, True)
    )
    assert isinstance(plain, Module) and isinstance(audited, Module)
    assert {seed.placebo for seed in plain.seeds} == {None}
    assert {seed.index for seed in audited.seeds if seed.placebo is not None} == set(range(64))
    own = {seed.index: seed.value for seed in plain.seeds}
    assert {seed.index: seed.value for seed in audited.seeds} == own  # runs are the same with and without
    assert not set(own.values()) & {seed.placebo for seed in audited.seeds}
    trial = kind_of(evaluation(audited=True, dry_run=True), SubmissionKind.MODULE, range(8), CACHE)
    assert isinstance(trial, Module) and {seed.placebo for seed in trial.seeds} == {None}


def test_a_notebook_runs_as_a_whole_whatever_is_missing() -> None:
    found = kind_of(evaluation(), SubmissionKind.NOTEBOOK, [2, 5], CACHE)
    assert isinstance(found, Notebook)
    assert (found.limits.wanted, found.limits.timeout_s, found.cache) == (8, 60.0, CACHE)
    assert found.whole and found.data_hidden and found.limits.robustness


@pytest.mark.parametrize(("rehearse", "mode"), [(True, Mode.REHEARSAL), (False, Mode.DRY)])
def test_a_trial_tells_everything_because_it_sees_no_hidden_data(rehearse: bool, mode: Mode) -> None:
    found = kind_of(evaluation(dry_run=True, rehearse=rehearse), SubmissionKind.NOTEBOOK, [], CACHE)
    assert isinstance(found, Notebook)
    assert found.limits.mode is mode
    assert not found.data_hidden and not found.limits.robustness


def test_shares_of_a_module_are_dealt_in_turn_and_lose_no_seed() -> None:
    module = Module(RunLimits(5, 1.0, 2**30, data_hidden=False), [Seed(index, index) for index in range(5)])
    shares = [[seed.index for seed in module.share(part, 3).seeds] for part in range(3)]
    assert shares == [[0, 3], [1, 4], [2]]
