"""What became of a submission: its place and meaning, its team's note, and everything measured of it."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Path, Query, Response

from services.api.kit.policy import SignedIn
from services.api.kit.sessions import Reading, Writing
from services.api.sharing.shared import SharedOut, share, show_shared, unshare
from services.api.state import State
from services.api.submissions import comparison, details, losses, notes, replay, results, service, standing
from services.api.submissions.comparison import ComparisonOut
from services.api.submissions.details import DetailsOut
from services.api.submissions.losses import LossesOut
from services.api.submissions.notes import Note
from services.api.submissions.reading import find_to_read
from services.api.submissions.replay import ReplayOut
from services.api.submissions.schemas import SubmissionOut
from services.api.submissions.understanding import StandingOut
from services.core.errors import NotFound
from services.core.models import Act

__all__ = ["router"]

router = APIRouter(tags=["submissions"])

NOTEBOOK: dict[int | str, dict[str, Any]] = {
    200: {"description": "The notebook", "content": {"application/x-ipynb+json": {"schema": {"type": "object"}}}}
}
LOG: dict[int | str, dict[str, Any]] = {
    200: {"description": "The log", "content": {"text/plain": {"schema": {"type": "string"}}}}
}
RUNS: dict[int | str, dict[str, Any]] = {
    200: {"description": "The table", "content": {"text/csv": {"schema": {"type": "string"}}}}
}
PICTURE: dict[int | str, dict[str, Any]] = {
    200: {"description": "The picture", "content": {"image/png": {"schema": {"type": "string", "format": "binary"}}}}
}
MEASUREMENTS: dict[int | str, dict[str, Any]] = {
    200: {"description": "The measurements", "content": {"application/octet-stream": {"schema": {"type": "string"}}}}
}


@router.get("/submissions/{submission_id}/comparison")
def compare_submissions(
    submission_id: UUID,
    other: Annotated[UUID, Query(description="The submission to compare with, of the same phase.")],
    who: SignedIn,
    session: Reading,
) -> ComparisonOut:
    """Test whether one submission is better than another. Each must be yours to see, or on the leaderboard."""
    return comparison.compare_scores(session, who, submission_id, other)


@router.get("/submissions/{submission_id}/standing")
def show_standing(submission_id: UUID, who: SignedIn, session: Reading) -> StandingOut:
    """Show the place of a scored submission, and its score in sentences."""
    return standing.show_standing(session, who, submission_id)


@router.get("/submissions/{submission_id}/replay")
def describe_replay(submission_id: UUID, who: SignedIn, session: Reading) -> ReplayOut:
    """Show what `lethe replay` needs to run it elsewhere: environment, limits, benchmark and failure."""
    return replay.show_replay(session, who, submission_id)


@router.put("/submissions/{submission_id}/note")
def write_note(submission_id: UUID, body: Note, who: SignedIn, session: Writing) -> SubmissionOut:
    """Replace the note and the tags of a submission of your team. Those who run or review the competition see them."""
    submission = notes.write_note(session, who, submission_id, body)
    return service.show(session, who, [submission])[0]


@router.put("/submissions/{submission_id}/share")
def share_submission(submission_id: UUID, who: SignedIn, session: Writing) -> SharedOut:
    """Show a scored submission of your team to everybody: its name, score and place, never its code or note."""
    return show_shared(session, share(session, who, submission_id))


@router.delete("/submissions/{submission_id}/share", status_code=204)
def unshare_submission(submission_id: UUID, who: SignedIn, session: Writing) -> None:
    """Show a submission to your team alone again."""
    unshare(session, who, submission_id)


@router.get("/submissions/{submission_id}/runs.csv", response_class=Response, responses=RUNS)
def download_runs(submission_id: UUID, who: SignedIn, session: Reading) -> Response:
    """Download a table of its runs, unless the phase hides its data."""
    return Response(
        results.table_of_runs(session, who, submission_id),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="runs-{submission_id}.csv"'},
    )


@router.get("/submissions/{submission_id}/measurements", response_class=Response, responses=MEASUREMENTS)
def download_measurements(submission_id: UUID, who: SignedIn, session: Reading, state: State) -> Response:
    """Download its measurements, for `lethe score`, unless the phase hides its data."""
    return Response(
        state.blobs.get(results.find_measurements(session, who, submission_id)),
        media_type="application/octet-stream",
        headers={
            "Content-Disposition": f'attachment; filename="{submission_id}.safetensors"',
            "X-Content-Type-Options": "nosniff",
        },
    )


@router.get("/submissions/{submission_id}/details")
def show_details(submission_id: UUID, who: SignedIn, session: Reading) -> DetailsOut:
    """Show run times, and histograms of epsilons and confidences, unless the phase hides its data."""
    return details.show_details(session, who, submission_id)


@router.get("/submissions/{submission_id}/losses")
def show_losses(submission_id: UUID, who: SignedIn, session: Reading) -> LossesOut:
    """Show which forget examples are told apart most, and what is lost there, unless the phase hides its data."""
    return losses.show_losses(session, who, submission_id)


@router.get("/submissions/{submission_id}/losses/{example}/picture", response_class=Response, responses=PICTURE)
def show_picture(
    submission_id: UUID,
    example: Annotated[int, Path(ge=0, le=2**31 - 1, description="The index of a listed example.")],
    who: SignedIn,
    session: Reading,
    state: State,
) -> Response:
    """Show the picture of a forget example that is listed among the losses, unless the phase hides its data."""
    return Response(
        state.blobs.get(losses.find_picture(session, who, submission_id, example)),
        media_type="image/png",
        headers={"X-Content-Type-Options": "nosniff", "Cache-Control": "private, max-age=86400"},
    )


@router.get("/submissions/{submission_id}/log", response_class=Response, responses=LOG)
def download_log(submission_id: UUID, who: SignedIn, session: Reading, state: State) -> Response:
    """Download the end of the output of its runs, at most 16 KiB, unless the phase hides its data."""
    return Response(
        state.blobs.get(details.find_log(session, who, submission_id)),
        media_type="text/plain; charset=utf-8",
        headers={"X-Content-Type-Options": "nosniff"},
    )


@router.get("/submissions/{submission_id}/notebook", response_class=Response, responses=NOTEBOOK)
def download_notebook(submission_id: UUID, who: SignedIn, state: State) -> Response:
    """Download a notebook with the outputs of its run, unless the phase hides its data.

    An organiser or reviewer can, whose reading is recorded.
    """
    (submission,) = find_to_read(state.database, who, [submission_id], Act.NOTEBOOK_READ)
    blob = submission.evaluation.executed_blob
    if blob is None or not service.sees_data(who, submission):
        raise NotFound("There is no executed notebook to show: it has not run yet, or the phase hides its data.")
    return Response(
        state.blobs.get(blob),
        media_type="application/x-ipynb+json",
        headers={"Content-Disposition": 'attachment; filename="executed.ipynb"', "X-Content-Type-Options": "nosniff"},
    )
