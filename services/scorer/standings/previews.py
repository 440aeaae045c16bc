"""Previews of rescorings: who moves, by how much, and whether that is beyond noise. Computed once all scores are there,
and again when one of them or a pointer changes."""

from array import array
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

import structlog
from sqlalchemy import delete, select

from services.core.board import counting, rescoring
from services.core.board.order import Submitted
from services.core.models import Campaign, CampaignMove, CampaignState, Phase, Reference
from services.core.models.stored import PlaceForm, PreviewForm
from services.core.store.database import ReadSession
from services.scorer.standings.ranking import BoardLine, Standing, standings
from services.scorer.stores import Stores

__all__ = ["Previews"]

log = structlog.get_logger()
SHOWN = (CampaignState.READY, CampaignState.PUBLISHING, CampaignState.PUBLISHED, CampaignState.UNDOING)

Key = tuple[UUID, Reference]


class _Shown(NamedTuple):
    """A place on a leaderboard, and its position there from the top."""

    position: int
    place: PlaceForm


Places = Mapping[Key, _Shown]


@dataclass(frozen=True, slots=True)
class Previews:
    """The previews of campaigns that are ready or published."""

    stores: Stores

    def keep(self) -> int:
        """Compute every preview that is missing or has changed; return how many."""
        with self.stores.database.read() as session:
            shown = session.scalars(select(Campaign).where(Campaign.state.in_(SHOWN)).order_by(Campaign.created_at))
            due = [one.id for one in shown if _is_due(one)]
        for campaign_id in due:
            self._compute(campaign_id)
        return len(due)

    def _compute(self, campaign_id: UUID) -> None:
        with self.stores.database.read() as session:
            campaign = session.get_one(Campaign, campaign_id)
            inputs, moment = campaign.inputs, campaign.phase.board_moved_at  # before all else, so that a change is seen
            moves = _moves_of(session, campaign)
        preview = PreviewForm(
            entries=len(moves),
            moved=sum(_is_moved(move) for move in moves),
            separated=sum(move.separated for move in moves),
            inputs=inputs,
            moment=moment,
        )
        with self.stores.database.write() as session:
            campaign = session.get_one(Campaign, campaign_id, with_for_update=True)
            if campaign.state not in SHOWN:
                return
            session.execute(delete(CampaignMove).where(CampaignMove.campaign_id == campaign_id))
            session.add_all(moves)
            campaign.preview = preview
        log.info("preview", campaign=str(campaign_id), entries=len(moves))


def _is_due(campaign: Campaign) -> bool:
    """Whether what a preview shows has changed. A published one shows what publishing did, whatever moves later."""
    preview = campaign.preview
    if preview is None or preview.inputs != campaign.inputs:
        return True
    return campaign.state is CampaignState.READY and preview.moment != campaign.phase.board_moved_at


def _moves_of(session: ReadSession, campaign: Campaign) -> list[CampaignMove]:
    """Compare the leaderboard without a rescoring to the one with it.

    First comes what moves beyond noise, then what else moves or could not be run again, then what stays; each in the
    order of the rescored leaderboard.
    """
    phase = campaign.phase
    with_it = counting.runs_of(session, phase, upto=campaign)
    without = counting.runs_of(session, phase, without=campaign)
    stood = counting.best_entries(session, phase, campaign.metric_before, without)
    stands = counting.best_entries(session, phase, campaign.metric, with_it)
    before, after = _places(stood, phase), _places(stands, phase)
    lost = rescoring.failed_re_runs(session, campaign)
    failed = {key for key, one in stands.items() if one.submission.evaluation_id in lost}
    order = [*sorted(after, key=lambda key: after[key].position), *(key for key in before if key not in after)]
    moves = [_move(key, before.get(key), after.get(key), re_run_failed=key in failed) for key in order]
    moves.sort(key=_interest)
    for position, move in enumerate(moves, start=1):
        move.campaign_id, move.position = campaign.id, position
    return moves


def _places(stands: Mapping[Key, counting.BestEntry], phase: Phase) -> Places:
    """Rank entries in the same way as the leaderboard."""
    lines = {key: _line(one) for key, one in stands.items()}
    order = sorted(lines, key=lambda key: lines[key].place)
    ranked = standings([lines[key] for key in order], phase.max_time_ratio)
    return {
        key: _Shown(position, _place(stands[key], where))
        for position, (key, where) in enumerate(zip(order, ranked, strict=True))
    }


def _line(stands: counting.BestEntry) -> BoardLine:
    score, submission = stands.score, stands.submission
    return BoardLine(
        reference=submission.reference,
        final_score=score.final_score,
        gaps=array("d", score.gaps),
        run_s=score.run_s,
        submitted=Submitted(submission.created_at, submission.id),
        flags=score.flags,
        cost=score.cost,
    )


def _place(stands: counting.BestEntry, where: Standing) -> PlaceForm:
    interval = where.rank_interval
    return PlaceForm(
        rank=where.rank,
        rank_best=interval and interval.best,
        rank_worst=interval and interval.worst,
        final_score=stands.score.final_score,
        ci_low=stands.score.ci_low,
        ci_high=stands.score.ci_high,
        submission_id=stands.submission.id,
    )


def _move(key: Key, before: _Shown | None, after: _Shown | None, *, re_run_failed: bool) -> CampaignMove:
    old, new = (shown and shown.place for shown in (before, after))
    ranks_up, separated = None, False
    if old is not None and new is not None and old.rank is not None and new.rank is not None:
        ranks_up = old.rank - new.rank
        assert old.rank_best and old.rank_worst and new.rank_best and new.rank_worst
        separated = old.rank_worst < new.rank_best or new.rank_worst < old.rank_best
    return CampaignMove(
        team_id=key[0],
        reference=key[1],
        before=old,
        after=new,
        ranks_up=ranks_up,
        separated=separated,
        re_run_failed=re_run_failed,
    )


def _is_moved(move: CampaignMove) -> bool:
    """Whether a team comes to another rank, onto the leaderboard or off it."""
    return (move.before and move.before.rank) != (move.after and move.after.rank)


def _interest(move: CampaignMove) -> int:
    if move.separated:
        return 0
    return 1 if _is_moved(move) or move.re_run_failed else 2
