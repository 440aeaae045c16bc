"""What a team enters into a final, whatever it uploaded, marked, withdrew or lost."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID, uuid4

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.core.board.exclusions import disqualify_entry
from services.core.finals import acts, selections
from services.core.models import (
    Account,
    Final,
    Phase,
    PhaseKind,
    Reference,
    Selection,
    Submission,
    SubmissionKind,
    Team,
)
from services.core.queue.lifecycle import queue_evaluation
from services.core.store.database import Database, WriteSession, utc_now
from tests.api.scores import measure, publish, score
from tests.core.conftest import add_phase

SELECTS = 2


@dataclass(frozen=True)
class Upload:
    """An upload of one team, and what became of it."""

    points: int
    slow: bool
    flagged: bool
    off: bool
    marked: bool
    notebook: bool
    code: int

    @property
    def ranks(self) -> bool:
        return not (self.slow or self.flagged)


UPLOADS = st.lists(
    st.builds(
        Upload,
        points=st.integers(0, 3),
        slow=st.booleans(),
        flagged=st.booleans(),
        off=st.booleans(),
        marked=st.booleans(),
        notebook=st.booleans(),
        code=st.integers(0, 9),
    ),
    max_size=5,
    unique_by=lambda upload: upload.code,  # what is off takes the same code with it, which other tests are about
)


def expected(uploads: list[Upload]) -> list[int]:
    """Say which uploads enter, by their places, from the definition."""
    there = [place for place, one in enumerate(uploads) if not one.off and not one.notebook]
    marked = [place for place in there if uploads[place].marked]
    if marked:
        return marked[:SELECTS]
    ranked = [place for place in there if uploads[place].ranks]
    return sorted(ranked, key=lambda place: (-uploads[place].points, place))[:1]


def make(database: Database) -> tuple[UUID, UUID]:
    """Make a phase with a retraining reference of 10 s, and a final that draws from it."""
    with database.write() as session:
        phase = add_phase(session)
        team = session.query(Team).one()
        publish(session, phase, team, 0.9, reference=Reference.RETRAIN, run_s=10.0)
        names = {"id", "slug", "kind", "opens_at", "board_moved_at"}
        values = {column.key: getattr(phase, column.key) for column in Phase.__table__.columns}
        values = {name: value for name, value in values.items() if name not in names}
        one = Phase(**values, slug="final", kind=PhaseKind.FINAL, opens_at=utc_now() + timedelta(hours=1))
        session.add(one)
        session.flush()
        return phase.id, acts.make(session, [one], selects=SELECTS, draws_from=None).id


def upload(session: WriteSession, phase: Phase, team: Team, one: Upload, place: int) -> Submission:
    blob = f"{one.code:064}"
    evaluation = queue_evaluation(session, phase, blob, team_id=team.id)
    measure(session, evaluation.id)
    submission = Submission(
        phase_id=phase.id,
        team_id=team.id,
        account_id=phase.competition.owner_id,
        evaluation_id=evaluation.id,
        name=str(place),
        filename="entry.py",
        kind=SubmissionKind.NOTEBOOK if one.notebook else SubmissionKind.MODULE,
        blob=blob,
        size_bytes=1,
        created_at=utc_now() + timedelta(seconds=place),
    )
    session.add(submission)
    flags = ["too_few_effective_models"] if one.flagged else []
    score(session, evaluation.id, one.points / 10, run_s=5.0 if one.slow else 1.0, flags=flags)
    session.flush()
    return submission


def test_what_enters_is_what_was_marked_or_else_the_best_ranked(database: Database) -> None:
    phase_id, final_id = make(database)

    @settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
    @given(UPLOADS)
    def check(uploads: list[Upload]) -> None:
        with database.write() as session:
            phase, final = session.get_one(Phase, phase_id), session.get_one(Final, final_id)
            account_id = session.query(Account).one().id
            team = Team(name=uuid4().hex[:30])
            session.add(team)
            session.flush()
            made = [upload(session, phase, team, one, place) for place, one in enumerate(uploads)]
            for one, submission in zip(uploads, made, strict=True):
                if one.marked:
                    mark_anyhow(session, final, submission, account_id)
                if one.off:
                    disqualify_entry(session, submission, account_id, "because")

            choice = selections.Chooser(session, final).of(team.id)

            assert [int(one.name) for one in choice.submissions] == expected(uploads)
            assert choice.by_default is not any(one.marked and not one.off and not one.notebook for one in uploads)

    check()


def mark_anyhow(session: WriteSession, final: Final, submission: Submission, account_id: UUID) -> None:
    """Mark a submission as if there was room for it: it may have come off the board, or more may, since."""
    mark = Selection(
        final_id=final.id,
        submission_id=submission.id,
        team_id=submission.team_id,
        account_id=account_id,
        created_at=submission.created_at,
    )
    session.add(mark)
    session.flush()
