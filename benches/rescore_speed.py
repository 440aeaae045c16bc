"""Time the rescoring of a phase from stored measurements: `python -m benches.rescore_speed`.

The script fills a separate installation with evaluations that were measured but have no score by the metric, prepares a
campaign on all cores as the scorer does, publishes it and undoes it. The measurements are those of a benchmark's second
oracle with noise. They are stored as the scorer leaves them when it has first scored an evaluation, in one blob. With
`--single` they are stored as a worker stores them, one blob a seed; then scoring from these and packing are timed, too.
"""

import argparse
import os
import tempfile
import time
from pathlib import Path
from uuid import UUID

import numpy as np
from safetensors.numpy import load, save
from sqlalchemy import insert, select

from benches.contest import add_phase
from services.cli.building import find_or_build
from services.cli.operator import prepare
from services.core.board import campaigns
from services.core.bundle import store as bundle_store
from services.core.bundle.directory import Bundle
from services.core.bundle.measurements import Measurements
from services.core.bundle.packing import pack
from services.core.models import (
    Campaign,
    Evaluation,
    MeasurementRow,
    Phase,
    Score,
    State,
    Submission,
    SubmissionKind,
    Team,
)
from services.core.queue.lifecycle import lock_evaluation, move, queue_evaluation
from services.core.settings import SandboxKind, Settings, load_settings
from services.core.store.blobs import Blobs
from services.core.store.database import Database, WriteSession
from services.scorer.consumer import Scorer
from services.scorer.judging import judge_many

AIM_MS = 90  # each, on 2 cores
EARLIER = "earlier-1"  # the metric that everything was scored by before


def main() -> None:
    """Print the time of each step."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--submissions", type=int, default=1000)
    parser.add_argument("--seeds", type=int, default=512)
    parser.add_argument("--benchmark", default="digits")
    parser.add_argument("--metric", default="neurips-2023")
    parser.add_argument("--single", action="store_true", help="begin with one blob a seed")
    arguments = parser.parse_args()
    bundle = find_or_build(load_settings(), arguments.benchmark)
    with tempfile.TemporaryDirectory() as directory:
        settings = Settings(data_dir=Path(directory), sandbox=SandboxKind.PROCESS)
        prepare(settings)
        _race(settings, bundle, arguments.submissions, arguments.seeds, arguments.metric, single=arguments.single)


def _race(settings: Settings, bundle: Bundle, submissions: int, seeds: int, metric: str, *, single: bool) -> None:
    database, blobs = Database(settings.resolved_database_url), Blobs.from_settings(settings)
    print(f"{bundle.manifest.name}: {submissions} submissions of {seeds} models, {os.cpu_count()} cores, by {metric}")
    start = time.perf_counter()
    phase_id, account_id = _fill(database, blobs, bundle, submissions, seeds, single=single)
    print(f"  filling the installation     {time.perf_counter() - start:8.1f} s (not part of rescoring)")
    with database.write() as session:
        campaign = campaigns.start(session, session.get_one(Phase, phase_id), account_id, metric=metric, re_run=False)
        campaign_id = campaign.id
    scorer = Scorer(settings)
    if single:
        _time_single(scorer, submissions, metric)
    start, used = time.perf_counter(), _cpu_s()
    written = scorer.campaigns.prepare()
    spent, used = time.perf_counter() - start, _cpu_s() - used
    assert written == submissions, f"{written} of {submissions} were scored"
    print(f"  scoring                      {spent:8.1f} s, {1e3 * spent / submissions:.0f} ms each (aim: {AIM_MS} ms)")
    print(f"    time of processors         {used:8.1f} s, {1e3 * used / submissions:.0f} ms each")
    scorer.keep()  # counts the scores, so that it is ready
    with database.write() as session:
        campaigns.publish_campaign(session, session.get_one(Campaign, campaign_id), account_id)
    print(f"  publishing {submissions:6} pointers   {_time_keeping(scorer, submissions):8.2f} s, one transaction")
    with database.write() as session:
        campaigns.undo_campaign(session, session.get_one(Phase, phase_id), account_id)
    print(f"  undoing                      {_time_keeping(scorer, submissions):8.2f} s")
    scorer.database.dispose()
    database.dispose()


def _time_keeping(scorer: Scorer, pointers: int) -> float:
    """Time the scorer as it moves so many pointers; return the seconds."""
    start = time.perf_counter()
    moved = scorer.rescorings.keep()
    assert moved == pointers, f"{moved} of {pointers} pointers moved"
    return time.perf_counter() - start


def _time_single(scorer: Scorer, submissions: int, metric: str) -> None:
    """Time scoring from one blob a seed, without writing the scores, and then packing."""
    with scorer.database.read() as session:
        ids = list(session.scalars(select(Evaluation.id)))
    start, used = time.perf_counter(), _cpu_s()
    for _ in judge_many(scorer.database, scorer.blobs, scorer.settings, ids, metric):
        pass
    print(f"  scoring from single blobs    {time.perf_counter() - start:8.1f} s")
    print(f"    time of processors         {_cpu_s() - used:8.1f} s")
    start = time.perf_counter()
    assert sum(pack(scorer.database, scorer.blobs, one) for one in ids) == submissions
    print(f"  packing, one after another   {time.perf_counter() - start:8.1f} s")


def _cpu_s() -> float:
    """Return the time that this process and its ended children have worked, on all cores together."""
    return sum(os.times()[:4])


def _fill(
    database: Database, blobs: Blobs, bundle: Bundle, submissions: int, seeds: int, *, single: bool
) -> tuple[UUID, UUID]:
    """Add measured evaluations, scored by an earlier metric; return the ids of the phase and of its organiser."""
    second = bundle.measurements_of("second_oracle")
    assert second is not None
    with database.write() as session:
        row = bundle_store.publish(session, blobs, bundle)
        phase = add_phase(session, row, seeds=seeds, shard_seeds=seeds, metric=EARLIER)
        session.flush()
        ids = phase.id, phase.competition.owner_id
    rng = np.random.default_rng(0)
    for number in range(submissions):
        with database.write() as session:
            _add(
                session, blobs, session.get_one(Phase, ids[0]), _noisy(second.first(seeds), rng), number, single=single
            )
    return ids


def _noisy(models: Measurements, rng: np.random.Generator) -> Measurements:
    """Shift every model's forget logits, so that entries and their scores differ."""
    arrays = load(models.to_bytes())
    arrays["forget_logits"] = arrays["forget_logits"] + rng.normal(0, 0.5, arrays["forget_logits"].shape).astype("f4")
    return Measurements.from_bytes(save(arrays))


def _add(session: WriteSession, blobs: Blobs, phase: Phase, models: Measurements, number: int, *, single: bool) -> None:
    code = f"{number:064x}"
    evaluation = queue_evaluation(session, phase, code)
    evaluation = lock_evaluation(session, evaluation.id)
    move(session, evaluation, State.RUNNING)
    move(session, evaluation, State.MEASURED, seeds=phase.seeds)
    team = Team(name=f"team-{number}")
    session.add(team)
    session.flush()
    session.add(
        Submission(
            phase_id=phase.id,
            team_id=team.id,
            account_id=phase.competition.owner_id,
            evaluation_id=evaluation.id,
            name=team.name,
            filename="entry.py",
            kind=SubmissionKind.MODULE,
            blob=code,
            size_bytes=1,
        )
    )
    plain = dict.fromkeys(("forgetting_quality", "utility", "final_score", "ci_low", "ci_high", "run_s"), 0.5)
    plain |= dict.fromkeys(("forgetting_quality_low", "forgetting_quality_high", "utility_low", "utility_high"), 0.5)
    counts = dict.fromkeys(("seeds", "distinct_models", "effective_models"), len(models))
    score = Score(evaluation_id=evaluation.id, metric=EARLIER, halves=[[0.4, 0.6], [0.6, 0.4]], **plain, **counts)
    session.add(score)
    session.flush()
    names: list[str | None] = [None] * len(models)
    if single:
        arrays = load(models.to_bytes())
        names = [
            blobs.put(save({name: np.ascontiguousarray(value[seed]) for name, value in arrays.items()}))
            for seed in range(len(models))
        ]
    else:
        evaluation.measurements_blob = blobs.put(models.to_bytes())
    common = {"evaluation_id": evaluation.id, "checkpoint_sha256": code, "run_s": 1.0}
    session.execute(insert(MeasurementRow), [{**common, "seed": seed, "blob": name} for seed, name in enumerate(names)])


if __name__ == "__main__":
    main()
