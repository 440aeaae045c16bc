"""How far a phase's numbers can be trusted: shown to everybody, computed when its organiser asks."""

from datetime import datetime

from fastapi import APIRouter, BackgroundTasks
from pydantic import BaseModel, Field

from services.api.competitions.finding import find_phase
from services.api.competitions.rights import require_writable
from services.api.kit.policy import Anyone, Organising
from services.api.kit.schemas import Text
from services.api.kit.sessions import Reading, Writing
from services.api.leaderboard.service import require_board
from services.api.state import State
from services.core.models import Phase, ReliabilityForm, ReliabilityRow
from services.core.queue.doorbell import Bell
from services.core.store.database import WriteSession, clock

__all__ = ["router"]

router = APIRouter(tags=["leaderboard"])
PATH = "/competitions/{slug}/phases/{phase}/reliability"


class ReliabilityOut(BaseModel):
    """How far the numbers of a phase can be trusted, as it was computed last."""

    asked_at: datetime | None = Field(description="When an organiser last asked for it; null if none ever did.")
    made_at: datetime | None = Field(description="When it was last computed; null if it never was.")
    under_way: bool
    done: int = Field(description="Steps done, of `total`, of the computation under way.")
    total: int = Field(description="0 until it begins.")
    problem: str | None = Field(description="Why the last computation gave nothing.")
    found: ReliabilityForm | None


@router.get(PATH)
def show_reliability(slug: Text, phase: Text, who: Anyone, session: Reading) -> ReliabilityOut:
    """Show how stable the order of a leaderboard is, and how each number behaves if the truth is known."""
    row = find_phase(session, slug, phase, who=who)
    require_board(who, row)
    return _shown(session.get(ReliabilityRow, row.id))


@router.post(PATH, status_code=202)
def ask_for_reliability(
    *, slug: Text, phase: Text, who: Organising, session: Writing, state: State, background: BackgroundTasks
) -> ReliabilityOut:
    """Have it computed of the newest leaderboard, while no score waits. That takes minutes."""
    row = find_phase(session, slug, phase, who=who)
    require_writable(row.competition)
    asked = _ask(session, row)
    background.add_task(state.doorbell.ring_across, Bell.SCORE)
    return _shown(asked)


def _ask(session: WriteSession, phase: Phase) -> ReliabilityRow:
    """Note that it is wanted; if it is being computed already, that computation is the answer."""
    row = session.get(ReliabilityRow, phase.id)
    if row is None:
        row = ReliabilityRow(phase_id=phase.id, asked_at=clock(session), done=0, total=0)
        session.add(row)
    elif not row.waits:
        row.asked_at, row.done, row.total = clock(session), 0, 0
    session.flush()
    return row


def _shown(row: ReliabilityRow | None) -> ReliabilityOut:
    if row is None:
        return ReliabilityOut(asked_at=None, made_at=None, under_way=False, done=0, total=0, problem=None, found=None)
    return ReliabilityOut(
        asked_at=row.asked_at,
        made_at=row.made_at,
        under_way=row.waits,
        done=row.done,
        total=row.total,
        problem=row.problem,
        found=row.form,
    )
