"""The effect of a rescoring on a leaderboard: who moves, by how much, and whether that is beyond noise."""

from collections.abc import Mapping
from uuid import UUID

from sqlalchemy import func, select

from services.api.campaigns.schemas import MoveOut, PlaceOut, UnscorableOut
from services.core.board import campaigns, pointers
from services.core.board.order import Submitted
from services.core.board.paired import HalvedScore
from services.core.board.ranking import BoardLine, Standing, standings
from services.core.models import Campaign, Evaluation, Phase, Reference, ReRun, Submission, Team
from services.core.store.database import ReadSession

__all__ = ["moves_of", "unscorable_in"]

Key = tuple[UUID, Reference]
Places = Mapping[Key, tuple[int, PlaceOut]]  # position on the leaderboard, and the place that is shown


def moves_of(session: ReadSession, campaign: Campaign) -> list[MoveOut]:
    """Compare the leaderboard without a rescoring to the one with it, team by team in the order of the latter."""
    phase = campaign.phase
    with_it = pointers.runs_of(session, phase, upto=campaign)
    without = pointers.runs_of(session, phase, without=campaign)
    stood = pointers.best_entries(session, phase, campaign.metric_before, without)
    stands = pointers.best_entries(session, phase, campaign.metric, with_it)
    before, after = _places(stood, phase), _places(stands, phase)
    lost = campaigns.failed_re_runs(session, campaign)
    failed = {key for key, one in stands.items() if one.submission.evaluation_id in lost}
    names = _names(session, {team for team, _ in before.keys() | after.keys()})
    order = [*sorted(after, key=lambda key: after[key][0]), *(key for key in before if key not in after)]
    return [_move(key, names[key[0]], before, after, failed) for key in order]


def unscorable_in(session: ReadSession, campaign: Campaign) -> list[UnscorableOut]:
    """List the submissions that a rescoring was prepared without, with the reasons."""
    own = func.coalesce(ReRun.replaced_id, Evaluation.id)
    statement = (
        select(Evaluation.id, Team.name, Submission.name, Submission.id)
        .outerjoin(ReRun, ReRun.evaluation_id == Evaluation.id)
        .join(Submission, Submission.evaluation_id == own)
        .join(Team, Team.id == Submission.team_id)
        .where(Evaluation.id.in_(campaign.set_aside))
        .order_by(Team.name, Submission.created_at)
    )
    return [
        UnscorableOut(
            team=team, submission=name, submission_id=submission_id, reason=campaign.unscorable[evaluation_id]
        )
        for evaluation_id, team, name, submission_id in session.execute(statement)
    ]


def _names(session: ReadSession, teams: set[UUID]) -> dict[UUID, str]:
    return dict(session.execute(select(Team.id, Team.name).where(Team.id.in_(teams))).all())


def _places(stands: Mapping[Key, pointers.BestEntry], phase: Phase) -> Places:
    """Rank entries in the same way as the leaderboard."""
    lines = {key: _line(one) for key, one in stands.items()}
    order = sorted(lines, key=lambda key: lines[key].place)
    ranked = standings([lines[key] for key in order], phase.max_time_ratio)
    return {
        key: (position, _place(stands[key], where))
        for position, (key, where) in enumerate(zip(order, ranked, strict=True))
    }


def _line(stands: pointers.BestEntry) -> BoardLine:
    score, submission = stands.score, stands.submission
    return BoardLine(
        reference=submission.reference,
        measured=HalvedScore(score.final_score, score.halves),
        run_s=score.run_s,
        submitted=Submitted(submission.created_at, submission.id),
        flags=score.flags,
    )


def _place(stands: pointers.BestEntry, where: Standing) -> PlaceOut:
    interval = where.rank_interval
    return PlaceOut(
        rank=where.rank,
        rank_best=interval and interval.best,
        rank_worst=interval and interval.worst,
        final_score=stands.score.final_score,
        ci_low=stands.score.ci_low,
        ci_high=stands.score.ci_high,
        submission_id=stands.submission.id,
    )


def _move(key: Key, team: str, before: Places, after: Places, failed: set[Key]) -> MoveOut:
    old, new = (places[key][1] if key in places else None for places in (before, after))
    ranks_up, separated = None, False
    if old is not None and new is not None and old.rank is not None and new.rank is not None:
        ranks_up = old.rank - new.rank
        assert old.rank_best and old.rank_worst and new.rank_best and new.rank_worst
        separated = old.rank_worst < new.rank_best or new.rank_worst < old.rank_best
    return MoveOut(
        team=team,
        reference=key[1],
        before=old,
        after=new,
        ranks_up=ranks_up,
        separated=separated,
        re_run_failed=key in failed,
    )
