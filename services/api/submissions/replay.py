"""What running a submission again elsewhere needs: its code's place, environment, limits and benchmark, by name.

Everything here is in the phase, in the benchmark's public description or in a message that the team has read. Seeds are
secret, and a benchmark's files stay here, so a replay runs on a benchmark that is built elsewhere from the same
definition.
"""

from typing import Self
from uuid import UUID

from pydantic import BaseModel, Field

from services.api.kit.auth import Principal
from services.api.submissions.schemas import FailureOut
from services.api.submissions.service import find_visible
from services.core.models import Device, EnvironmentRow, Evaluation, Submission, SubmissionKind, SubmissionState
from services.core.numbering import failed_run
from services.core.retention.deleting import require_code
from services.core.store.database import ReadSession
from services.core.submission.notebook import notebook_timeout_s

__all__ = ["ReplayOut", "show_replay"]

TOLD = ("sandbox", "image", "image_id", "python", "torch")  # of a run's provenance


class ReplayEnvironment(BaseModel):
    """What the code finds in the sandbox; empty texts where nobody knows."""

    name: str
    device: Device
    sandbox: str = Field(description="docker or process; empty if no run has ended.")
    image: str
    digest: str = Field(description="The image's id; empty for the process sandbox, which has no image.")
    python: str
    torch: str

    @classmethod
    def of(cls, submission: Submission, row: EnvironmentRow | None) -> Self:
        """Describe where it ran, or if no run has ended, where it would run now."""
        phase, ran = submission.phase, {name: submission.evaluation.provenance.get(name, "") for name in TOLD}
        return cls(
            name=phase.environment,
            device=phase.device,
            sandbox=ran["sandbox"],
            image=ran["image"] or (row.image if row else ""),
            digest=ran["image_id"] or (row.digest if row else ""),
            python=ran["python"] or (row.python if row else ""),
            torch=ran["torch"] or (row.packages.get("torch", "") if row else ""),
        )


class ReplayLimits(BaseModel):
    """What one evaluation may use."""

    seeds: int = Field(description="Runs; of a notebook the checkpoints that it must write.")
    seed_timeout_s: float = Field(description="Time limit of one run of a module, in seconds.")
    memory_bytes: int = Field(description="Memory of one run, or of a notebook.")
    notebook_timeout_s: float = Field(description="Time limit of a whole notebook, in seconds.")
    cuda_stand_in: bool
    take_first: bool

    @classmethod
    def of(cls, evaluation: Evaluation) -> Self:
        """Read the limits of an evaluation."""
        phase = evaluation.phase
        rehearsed = evaluation.dry_run and phase.rehearse
        return cls(
            seeds=evaluation.seeds,
            seed_timeout_s=phase.seed_timeout_s,
            memory_bytes=phase.memory_bytes,
            notebook_timeout_s=notebook_timeout_s(phase.notebook_timeout_s, rehearsed=rehearsed),
            cuda_stand_in=phase.cuda_stand_in,
            take_first=phase.take_first,
        )


class ReplayBenchmark(BaseModel):
    """The benchmark, and the definition from which everybody can build one like it."""

    name: str
    digest: str
    definition: str = Field(description="What `lethe benchmark build` builds; its name if nothing else is told.")
    scenario: str | None = Field(description="How the forget set is drawn, if not as in the definition.")

    @classmethod
    def of(cls, submission: Submission) -> Self:
        """Describe the benchmark of its evaluation."""
        row = submission.evaluation.benchmark
        origin = row.manifest.get("origin") or {}
        return cls(
            name=row.name,
            digest=row.digest,
            definition=origin.get("definition") or row.name,
            scenario=origin.get("scenario"),
        )


class ReplayOut(BaseModel):
    """All that `lethe replay` needs beside the upload."""

    id: UUID
    competition: str
    phase: str
    name: str
    filename: str
    kind: SubmissionKind
    state: SubmissionState
    data_hidden: bool = Field(description="Whether the phase hides its data, so that its failures tell no message.")
    trial: str | None = Field(description="Of a notebook in a check phase, `dry run` or `rehearsal`; otherwise null.")
    limits: ReplayLimits
    environment: ReplayEnvironment
    benchmark: ReplayBenchmark
    failure: FailureOut | None
    failed_run: int | None = Field(
        description="The number, from 1, of the first run that failed; null if none is told."
    )


def show_replay(session: ReadSession, who: Principal, submission_id: UUID) -> ReplayOut:
    """Show what running a submission again elsewhere needs. Raises NotFound, and CodeDeleted."""
    submission = find_visible(session, who, submission_id)
    require_code(submission)
    phase, evaluation = submission.phase, submission.evaluation
    failure = FailureOut.of(evaluation)
    return ReplayOut(
        id=submission.id,
        competition=phase.competition.slug,
        phase=phase.slug,
        name=submission.name,
        filename=submission.filename,
        kind=submission.kind,
        state=evaluation.shown_state,
        data_hidden=phase.data_hidden,
        trial=("rehearsal" if phase.rehearse else "dry run") if evaluation.dry_run else None,
        limits=ReplayLimits.of(evaluation),
        environment=ReplayEnvironment.of(submission, session.get(EnvironmentRow, phase.environment)),
        benchmark=ReplayBenchmark.of(submission),
        failure=failure,
        failed_run=failed_run(failure.message) if failure else None,
    )
