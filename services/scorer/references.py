"""Making the reference rows that the platform has in a phase: a submission and an evaluation for each.

They run behind all other work. All rows of a phase are made in one transaction, so none is made twice.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import select

from services.benchmarks.references import source
from services.core.board.standings import lock_board
from services.core.models import Act, Competition, Phase, State, Submission, SubmissionKind, Visibility
from services.core.queue.doorbell import Bell, Doorbell
from services.core.queue.lifecycle import queue_evaluation
from services.core.record.acts import record
from services.core.references import platform
from services.core.references.asking import current_rows, waits_for_public
from services.core.references.planning import PlannedReference, plan
from services.core.store.blobs import Blobs, sha256_hex
from services.core.store.database import ReadSession, WriteSession, clock
from services.core.submission.form import form_of
from services.core.submission.source import UNTOLD_PYTHON
from services.scorer.stores import Stores

__all__ = ["References", "make_rows"]

log = structlog.get_logger()
AGAIN_S = 15.0  # after a failure
SEEN = [one for one in Visibility if not waits_for_public(one)]
TO_REPEAT = (State.FAILED, State.CANCELLED)


@dataclass(slots=True)
class References:
    """The phases whose reference rows are to be made."""

    stores: Stores
    doorbell: Doorbell | None = None
    _again_at: dict[UUID, float] = field(default_factory=dict)

    def keep(self) -> int:
        """Make what is missing in each phase; return how many rows were made."""
        with self.stores.database.read() as session:
            due = _due(session)
        return sum(self._try(phase_id) for phase_id in due)

    def _try(self, phase_id: UUID) -> int:
        if self._again_at.get(phase_id, 0.0) > time.monotonic():
            return 0
        try:
            with self.stores.database.write() as session:
                phase = session.get_one(Phase, phase_id)
                manifest, made = phase.benchmark.manifest, make_rows(session, self.stores.blobs, phase)
            for one in plan(manifest) if made else ():
                code = _code(manifest["recipe"], one)
                self.stores.blobs.keep(sha256_hex(code), code)
        except Exception:
            self._again_at[phase_id] = time.monotonic() + AGAIN_S
            log.exception("references_failed", phase=str(phase_id), remedy="they are tried again")
            return 0
        if made and self.doorbell is not None:
            self.doorbell.ring_across(Bell.RUN)
        return made


def make_rows(session: WriteSession, blobs: Blobs, phase: Phase) -> int:
    """Make the reference rows of a phase that are missing, failed or cancelled; return how many."""
    phase = lock_board(session, phase)
    if phase.references_at is not None:
        return 0
    manifest = phase.benchmark.manifest
    there = current_rows(session, phase)
    wanted = [
        one
        for one in plan(manifest)
        if one.reference not in there or there[one.reference].evaluation.state in TO_REPEAT
    ]
    made = [_make(session, blobs, phase, manifest["recipe"], one) for one in wanted]
    phase.references_at = clock(session)
    session.flush()
    if made:
        rows = {one.reference.value: str(one.id) for one in made}
        details = {"phase": phase.slug, "submissions": rows}
        record(session, Act.REFERENCES_MADE, competition_id=phase.competition_id, account_id=None, details=details)
    return len(made)


def _code(recipe: Mapping[str, Any], planned: PlannedReference) -> bytes:
    return source(recipe, planned.epochs).encode()


def _make(
    session: WriteSession, blobs: Blobs, phase: Phase, recipe: Mapping[str, Any], planned: PlannedReference
) -> Submission:
    filename = f"{planned.reference}.py"
    code = _code(recipe, planned)
    form, blob = form_of(filename, SubmissionKind.MODULE, code, UNTOLD_PYTHON), blobs.put(code)
    submission = Submission(
        phase_id=phase.id,
        team_id=platform.TEAM,
        account_id=platform.ACCOUNT,
        evaluation=queue_evaluation(session, phase, blob, team_id=platform.TEAM, behind=True),
        name=planned.name,
        filename=filename,
        kind=SubmissionKind.MODULE,
        reference=planned.reference,
        blob=blob,
        code_sha256=form.sha256,
        sketch=form.sketch,
        size_bytes=len(code),
        created_at=clock(session),
    )
    session.add(submission)
    session.flush()
    return submission


def _due(session: ReadSession) -> list[UUID]:
    """List the phases that have yet to get their rows, the oldest first."""
    waiting = (Phase.references, Phase.references_at.is_(None), Competition.visibility.in_(SEEN))
    statement = select(Phase.id).join(Competition, Competition.id == Phase.competition_id).where(*waiting)
    return list(session.scalars(statement.order_by(Phase.created_at, Phase.id)))
