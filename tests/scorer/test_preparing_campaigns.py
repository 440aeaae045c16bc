"""What a scorer prepares for a campaign: all that can be scored, and of the rest the reason."""

import json
import threading
import time
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any, cast
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select, text, update

from services.core.board import campaigns
from services.core.board.rescoring import Progress, count, progress_of, settle
from services.core.bundle import store as bundle_store
from services.core.models import (
    Account,
    Campaign,
    CampaignState,
    Device,
    Evaluation,
    Phase,
    Score,
    Submission,
    SubmissionKind,
    SubmissionState,
    Team,
)
from services.core.queue.leases import WorkerOffer, claim, finish, record
from services.core.queue.lifecycle import awaiting_score, queue_evaluation
from services.core.settings import Settings
from services.core.store.database import Database, ReadSession
from services.scorer import judging, preparing, publishing, retries
from services.scorer.consumer import Scorer
from services.scorer.judging import Judged, Unscored
from services.scorer.rows import score_row
from tests.api.harness import make_settings
from tests.api.scores import score
from tests.bundles import make_tiny_bundle, oracle_as_measured
from tests.core.conftest import add_phase, database
from tests.scorer import pool_faults

__all__ = ["database"]

SEEDS, ENTRIES = 8, 4
OFFER = WorkerOffer("worker", Device.CPU, "cpu", 2**40)


class Rescoring:
    """Measured entries that a campaign wants scores of by lethe-1, and a scorer."""

    def __init__(self, database: Database, settings: Settings, root: Path, *, scored: bool = True) -> None:
        self.database = database
        self.scorer = Scorer(settings)
        self.blobs: dict[UUID, list[str]] = {}
        self.bundle = make_tiny_bundle(root / "bundle", oracle_seeds=SEEDS * ENTRIES)
        with database.write() as session:
            phase = add_phase(session, seeds=SEEDS, shard_seeds=SEEDS)
            phase.benchmark = bundle_store.publish(session, self.scorer.blobs, self.bundle)
        for number in range(ENTRIES):
            self.add(number, scored)
        self.evaluation_ids = list(self.blobs)

    def add(self, number: int, scored: bool) -> None:
        with self.database.write() as session:
            phase = session.scalars(select(Phase)).one()
            code = f"{number:064x}"
            evaluation_id = queue_evaluation(session, phase, code).id
            session.add(
                Submission(
                    phase_id=phase.id,
                    team_id=session.scalars(select(Team.id)).one(),
                    account_id=session.scalars(select(Account.id)).one(),
                    evaluation_id=evaluation_id,
                    name=f"entry {number}",
                    filename="entry.py",
                    kind=SubmissionKind.MODULE,
                    blob=code,
                    size_bytes=1,
                )
            )
        found = oracle_as_measured(self.bundle, self.scorer.blobs, range(SEEDS), skip=SEEDS * number)
        self.blobs[evaluation_id] = [one.blob for one in found]
        with self.database.write() as session:
            held = claim(session, OFFER, 60)
            assert held is not None
            record(session, held, found)
            finish(session, held)
            if scored:
                score(session, evaluation_id, 0.1)

    def begin(self) -> UUID:
        with self.database.write() as session:
            phase, account = session.scalars(select(Phase)).one(), session.scalars(select(Account.id)).one()
            return campaigns.start(session, phase, account, metric="lethe-1", re_run=False).id

    def serve(self, times: int = 1) -> int:
        """Sweep and look, as the doorbell has it done."""
        written = 0
        for _ in range(times):
            self.scorer.sweep()
            written += self.scorer.serve()
        return written

    def blob_file(self, evaluation_id: UUID) -> Path:
        digest = self.blobs[evaluation_id][3]
        return self.scorer.settings.data_dir / "blobs" / "sha256" / digest[:2] / digest[2:]

    def scored(self, metric: str = "lethe-1") -> set[UUID]:
        with self.database.read() as session:
            return set(session.scalars(select(Score.evaluation_id).where(Score.metric == metric)))

    def waiting(self) -> set[UUID]:
        """What the scorer finds to score: all that lacks a score."""
        with self.database.read() as session:
            found = set(session.scalars(awaiting_score().with_only_columns(Evaluation.id)))
            by_definition = select(Evaluation.id).where(Evaluation.shown_state == SubmissionState.MEASURED)
            assert found == set(session.scalars(by_definition))
            return found

    def campaign(self, session: ReadSession) -> Campaign:
        return session.scalars(select(Campaign)).one()

    def state(self) -> CampaignState:
        with self.database.read() as session:
            return self.campaign(session).state


@pytest.fixture
def settings(tmp_path: Path, database_url: str) -> Settings:
    return make_settings(tmp_path, database_url)


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retries, "RETRY_AFTER_S", 0.0)


@pytest.fixture
def rescoring(database: Database, settings: Settings, tmp_path: Path) -> Iterator[Rescoring]:
    made = Rescoring(database, settings, tmp_path)
    yield made
    made.scorer.database.dispose()


def test_what_an_older_version_wrote_is_taken_over(rescoring: Rescoring) -> None:
    """A kind of alarm, a suite and fields of a certificate that are no longer known keep nobody from a new score."""
    written = {
        "alarms": [{"kind": "retired_kind", "message": "Look."}],
        "suites": {"retired-suite": {"column": 0.5}},
        "certificate": {"epsilon": 1.0, "delta": 0.25, "retired_field": 3},
    }
    assignments = ", ".join(f"{name} = :{name}" for name in written)
    with rescoring.database.write() as session:
        session.execute(
            text(f"UPDATE scores SET {assignments}"), {name: json.dumps(value) for name, value in written.items()}
        )
    rescoring.begin()

    assert rescoring.serve() == ENTRIES

    with rescoring.database.read() as session:
        for score in session.scalars(select(Score).where(Score.metric == "lethe-1")):
            assert [(alarm.kind, alarm.message) for alarm in score.alarms] == [("retired_kind", "Look.")]
            assert score.suites == written["suites"]
            assert score.certificate is not None
            assert (score.certificate.epsilon, score.certificate.audited_epsilon) == (1.0, None)


@pytest.mark.parametrize("pool_from", [2, 100], ids=["on all cores", "one by one"])
def test_a_bad_evaluation_does_not_keep_the_others_from_their_scores(
    rescoring: Rescoring, monkeypatch: pytest.MonkeyPatch, pool_from: int
) -> None:
    """One blob is gone and another damaged: the campaign comes to its end, and says what it is without."""
    monkeypatch.setattr(judging, "POOL_FROM", pool_from)
    gone, damaged, *good = rescoring.evaluation_ids
    rescoring.blob_file(gone).unlink()
    rescoring.blob_file(damaged).write_bytes(b"x")
    rescoring.begin()

    assert rescoring.serve() == len(good)
    assert rescoring.scored() == set(good)
    assert rescoring.state() == "preparing"  # what failed once is tried again, here without the pool's start
    monkeypatch.setattr(judging, "POOL_FROM", 100)
    assert rescoring.serve(times=preparing.MAX_TRIES - 1) == 0

    with rescoring.database.read() as session:
        campaign = rescoring.campaign(session)
        assert campaign.state == "ready"
        reasons = campaign.unscorable
        assert progress_of(session, campaign) == Progress(2, 2)
    assert reasons.keys() == {gone, damaged}
    assert "is missing from the store" in reasons[gone]
    assert "is damaged" in reasons[damaged]


def test_a_score_that_the_database_refuses_does_not_keep_the_others_from_theirs(
    rescoring: Rescoring, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused = rescoring.evaluation_ids[0]

    def row_of(evaluation_id: UUID, *arguments: Any, **options: Any) -> Score:
        row = score_row(evaluation_id, *arguments, **options)
        if evaluation_id == refused:
            row.final_score = float("nan")
        return row

    monkeypatch.setattr(publishing, "score_row", row_of)
    rescoring.begin()

    assert rescoring.serve(times=preparing.MAX_TRIES) == ENTRIES - 1
    assert rescoring.state() == "ready"
    with rescoring.database.read() as session:
        (reason,) = rescoring.campaign(session).unscorable.values()
    assert "IntegrityError" in reason


def test_what_was_set_aside_is_taken_back_once_it_can_be_scored(rescoring: Rescoring) -> None:
    lost = rescoring.evaluation_ids[0]
    file = rescoring.blob_file(lost)
    kept = file.read_bytes()
    file.unlink()
    rescoring.begin()
    rescoring.serve(times=preparing.MAX_TRIES)
    assert rescoring.state() == "ready"
    file.write_bytes(kept)
    rescoring.serve()

    with rescoring.database.read() as session:
        campaign = rescoring.campaign(session)
        assert campaign.unscorable == {}
        assert progress_of(session, campaign) == Progress(ENTRIES, ENTRIES)


def test_what_comes_in_later_and_cannot_be_scored_does_not_block_publishing(rescoring: Rescoring) -> None:
    """The campaign was ready before, and is so again."""
    campaign_id = rescoring.begin()
    rescoring.serve()
    assert rescoring.state() == "ready"
    rescoring.add(0, scored=True)
    late = list(rescoring.blobs)[-1]
    rescoring.blob_file(late).unlink()
    rescoring.serve(times=preparing.MAX_TRIES)

    with rescoring.database.write() as session:
        phase = session.scalars(select(Phase)).one()
        campaign = campaigns.lock_campaign(session, phase, campaign_id)
        campaigns.publish_campaign(session, campaign, campaign.account_id)
    rescoring.scorer.keep()
    assert rescoring.state() == "published"


def test_what_a_publication_leaves_without_a_score_waits_for_one(rescoring: Rescoring) -> None:
    with rescoring.database.write() as session:
        session.execute(update(Evaluation).values(may_lack_score=False))  # all have one by the metric of before
    lost = rescoring.evaluation_ids[0]
    file = rescoring.blob_file(lost)
    kept = file.read_bytes()
    file.unlink()
    campaign_id = rescoring.begin()
    rescoring.serve(times=preparing.MAX_TRIES)
    assert rescoring.waiting() == set()
    with rescoring.database.write() as session:
        phase = session.scalars(select(Phase)).one()
        campaign = campaigns.lock_campaign(session, phase, campaign_id)
        campaigns.publish_campaign(session, campaign, campaign.account_id)
    rescoring.scorer.keep()
    assert (rescoring.state(), rescoring.waiting()) == ("published", {lost})
    file.write_bytes(kept)
    rescoring.serve()
    assert rescoring.scored() == set(rescoring.evaluation_ids)
    assert rescoring.waiting() == set()


def judge_many(settings: Any, number: int) -> tuple[list[UUID], Generator[Judged | Unscored, None, None]]:
    """Judge in a pool what no database knows of; what its processes do instead takes the settings' place."""
    many = [uuid4() for _ in range(number)]
    nothing = cast(Any, None)
    return many, judging.judge_many(nothing, nothing, settings, many, "lethe-1")


def test_what_kills_its_process_is_found_among_the_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(judging, "_judge_one", pool_faults.die_over_one)
    many, outcomes = judge_many(tmp_path, judging.POOL_FROM)
    (tmp_path / "deadly").write_text(str(many[1]))
    found = {outcome.evaluation_id: outcome for outcome in outcomes}

    assert found.keys() == set(many)
    (unscored,) = (one for one in found.values() if isinstance(one, Unscored))
    assert unscored.evaluation_id == many[1]
    assert "died" in unscored.reason


def test_a_scorer_that_stops_does_not_judge_the_rest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Or it would be killed at the end of its grace period."""
    monkeypatch.setattr(judging, "_judge_one", pool_faults.note_and_wait)
    _, outcomes = judge_many(tmp_path, 200)
    next(outcomes)
    outcomes.close()

    assert len(list(tmp_path.iterdir())) < 100


def test_what_failed_is_scored_once_it_can_be_without_a_restart(
    database: Database, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rescoring = Rescoring(database, settings, tmp_path, scored=False)
    file = rescoring.blob_file(rescoring.evaluation_ids[0])
    kept = file.read_bytes()
    file.unlink()
    monkeypatch.setattr(retries, "RETRY_AFTER_S", 0.01)
    for _ in range(5):
        rescoring.serve()
        time.sleep(0.05)
    assert len(rescoring.scored("neurips-2023")) == ENTRIES - 1
    file.write_bytes(kept)
    deadline = time.monotonic() + 20
    while len(rescoring.scored("neurips-2023")) < ENTRIES and time.monotonic() < deadline:
        rescoring.serve()
        time.sleep(0.02)
    rescoring.scorer.database.dispose()

    assert len(rescoring.scored("neurips-2023")) == ENTRIES


def test_a_count_that_comes_late_changes_nothing(rescoring: Rescoring) -> None:
    """One thread of a scorer counts; before it writes that down, the other one makes the last score and settles."""
    campaign_id = rescoring.begin()
    with rescoring.database.read() as session:
        before = Progress(rescoring.campaign(session).done, rescoring.campaign(session).total)
    rescoring.serve()
    assert rescoring.state() == "ready"

    with rescoring.database.write() as session:
        count(session, campaign_id, before, Progress(1, ENTRIES))

    with rescoring.database.read() as session:
        assert (rescoring.campaign(session).done, rescoring.campaign(session).total) == (ENTRIES, ENTRIES)


def test_a_campaign_that_is_cancelled_while_a_scorer_settles_it_stays_so(rescoring: Rescoring) -> None:
    """The scorer has read that it is being prepared. On SQLite the other one waits for the scorer's transaction."""
    campaign_id = rescoring.begin()
    with rescoring.database.write() as session:
        for one in rescoring.evaluation_ids:
            score(session, one, 0.2, metric="lethe-1")

    def cancel() -> None:
        with rescoring.database.write() as session:
            campaign = campaigns.lock_campaign(session, session.scalars(select(Phase)).one(), campaign_id)
            campaigns.cancel_campaign(session, campaign, campaign.account_id)

    organiser = threading.Thread(target=cancel)
    with rescoring.database.write() as session:
        (campaign,) = campaigns.open_campaigns(session)
        organiser.start()
        organiser.join(timeout=1.0)
        settle(session, campaign)
    organiser.join(timeout=30)

    assert rescoring.state() == "cancelled"
