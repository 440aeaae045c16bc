"""Decides whether a team may submit to a phase now: once before the upload is read, and again under the team's lock."""

from dataclasses import dataclass

from sqlalchemy import Select

from services.api.competitions.finding import WHOLE_PHASE, find_phase
from services.api.competitions.rights import require_organiser, require_writable
from services.api.kit.auth import Principal
from services.api.kit.policy import Forbidden
from services.api.people.registering import require_registered
from services.api.submissions.quota import require_slot
from services.api.teams.seats import require_qualified, team_of
from services.core.errors import BadInput, Conflict
from services.core.models import Phase, Reference, SubmissionKind, Team
from services.core.settings import SandboxKind
from services.core.store.database import ReadSession, utc_now
from services.core.submission.file import kind_of

__all__ = [
    "EntersBySelection",
    "NoNotebooks",
    "PhaseNotOpen",
    "SandboxRequiresOperator",
    "SubmitRequest",
    "admit",
    "require_kind",
    "require_uploads",
]


class SandboxRequiresOperator(Forbidden):
    code = "sandbox_requires_operator"


class PhaseNotOpen(Conflict):
    code = "phase_not_open"


class NoNotebooks(BadInput):
    code = "no_notebooks"


class EntersBySelection(Conflict):
    code = "enters_by_selection"


@dataclass(frozen=True, slots=True)
class SubmitRequest:
    """A request to submit, without the file's bytes."""

    who: Principal
    competition: str
    phase: str
    filename: str
    name: str
    team: str | None
    reference: Reference


def admit(
    session: ReadSession, request: SubmitRequest, sandbox: SandboxKind, statement: Select[Phase] = WHOLE_PHASE
) -> tuple[Phase, Team]:
    """Return phase and team if the request is allowed. Raises the error that says why it is not.

    Registration, dates and quota do not apply to reference entries, because the organiser prepares a leaderboard before
    it opens.
    """
    phase = find_phase(session, request.competition, request.phase, statement, who=request.who)
    require_writable(phase.competition)
    if sandbox is SandboxKind.PROCESS and not request.who.is_operator:
        raise SandboxRequiresOperator(
            "This installation runs submissions as plain processes without isolation, so only the operator may "
            "submit. Ask the operator to set up Docker."
        )
    require_kind(phase, request.filename)
    team = team_of(session, request.who, phase.competition, request.team)
    if request.reference is not Reference.NONE:
        require_organiser(request.who, phase.competition)
        return phase, team
    require_registered(session, request.who, phase.competition)
    require_uploads(phase)
    require_qualified(session, request.who, phase.competition)
    now = utc_now()
    if not phase.opens_at <= now < phase.closes_at:
        raise PhaseNotOpen(
            f"Phase {phase.slug!r} accepts submissions {_window(phase)}.",
            opens_at=phase.opens_at,
            closes_at=phase.closes_at,
        )
    require_slot(session, phase, team, now)
    return phase, team


def _window(phase: Phase) -> str:
    """Tell when a phase is open: to the minute, or to the second if minutes do not tell its ends apart."""
    for form in ("%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S"):
        opens, closes = (format(moment, form) for moment in (phase.opens_at, phase.closes_at))
        if opens != closes:
            break
    return f"from {opens} UTC to {closes} UTC"


def require_uploads(phase: Phase) -> None:
    """Raise EntersBySelection if teams select entries of the phase among what they uploaded to others."""
    if phase.final_part is not None:
        remedy = f"Enter a scored submission with `lethe select ID -p {phase.slug}`, or on its page."
        raise EntersBySelection(f"Phase {phase.slug!r} takes no uploads. {remedy}", remedy=remedy)


def require_kind(phase: Phase, filename: str) -> None:
    """Raise NoNotebooks if the phase does not accept them, or UnsupportedFile if no submission has such a name."""
    if kind_of(filename) is SubmissionKind.NOTEBOOK and not phase.notebooks:
        remedy = "Upload a module (.py) or an archive (.zip)."
        raise NoNotebooks(f"Phase {phase.slug!r} does not accept notebooks. {remedy}", remedy=remedy)
