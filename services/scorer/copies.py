"""Finds entries of other teams that move weights nearly alike, when one is scored, and lists them for organisers.

A look costs the same however many entries there are: a few by each number that alike movements share, earliest first.
A number says on which sides of 16 planes through the origin, drawn once, a movement lies. Movements that differ by 0.3
of their length share one of 24 numbers in 99% of cases, unrelated ones in 1 of 2,700.
"""

import hashlib
from functools import lru_cache
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select

from services.core.models import CodeBand, Copy, CopyKind, Evaluation, Reference, Submission
from services.core.store.database import ReadSession, WriteSession
from services.scorer.metrics.movements import Movement, difference

__all__ = ["note_alike"]

APART = 0.3  # of their length, at most; see decision 46
BANDS, PLANES = 24, 16
LOOKED_AT = 8  # other teams' entries by each number
MOST = 3  # that are noted for one entry

Array = NDArray[np.float64]


def note_alike(session: WriteSession, evaluation: Evaluation, movement: Movement | None) -> None:
    """Keep how an evaluation moves weights, and note which entries of other teams move them alike; once."""
    if movement is None or session.scalar(select(Evaluation.movement).where(Evaluation.id == evaluation.id)):
        return
    evaluation.movement = _written(movement)
    submission = _first_entry(session, evaluation)
    if submission is None:
        return
    numbers = _numbers(evaluation, movement)
    for other, apart in _alike(session, submission, evaluation, movement, numbers):
        earlier, later = sorted((submission, other), key=lambda one: (one.created_at, one.id))
        session.add(
            Copy(
                competition_id=submission.phase.competition_id,
                kind=CopyKind.WEIGHTS,
                submission_id=later.id,
                other_id=earlier.id,
                same_code=earlier.code_sha256 == later.code_sha256,
                likeness=1.0 - apart,
            )
        )
    session.add_all(
        CodeBand(
            competition_id=submission.phase.competition_id,
            number=number,
            created_at=submission.created_at,
            submission_id=submission.id,
            team_id=submission.team_id,
        )
        for number in set(numbers)
    )


def _first_entry(session: ReadSession, evaluation: Evaluation) -> Submission | None:
    """Find the team's first submission of an evaluation; None if it is a reference row's, or nobody's."""
    own = select(Submission).where(Submission.evaluation_id == evaluation.id, Submission.reference == Reference.NONE)
    return session.scalars(own.order_by(Submission.created_at, Submission.id).limit(1)).first()


def _alike(
    session: ReadSession, submission: Submission, evaluation: Evaluation, movement: Movement, numbers: list[int]
) -> list[tuple[Submission, float]]:
    """Find other teams' entries that move weights most alike, the nearest first."""
    competition_id = submission.phase.competition_id
    ids: set[UUID] = set()
    for number in numbers:
        band = select(CodeBand.submission_id).where(
            CodeBand.competition_id == competition_id,
            CodeBand.number == number,
            CodeBand.team_id != submission.team_id,
        )
        ids.update(session.scalars(band.order_by(CodeBand.created_at).limit(LOOKED_AT)))
    rows = session.execute(
        select(Submission, Evaluation.movement)
        .join(Evaluation, Evaluation.id == Submission.evaluation_id)
        .where(Submission.id.in_(ids), Evaluation.benchmark_id == evaluation.benchmark_id)
        .order_by(Submission.created_at, Submission.id)
    )
    found = [(other, difference(movement, _read(kept, movement))) for other, kept in rows if kept is not None]
    return sorted(((other, apart) for other, apart in found if apart <= APART), key=lambda pair: pair[1])[:MOST]


def _written(movement: Movement) -> bytes:
    """Write a movement as 64-bit floats: the noise, then the mean."""
    return np.concatenate([[movement.noise], movement.mean.ravel()]).astype("<f8").tobytes()


def _read(kept: bytes, like: Movement) -> Movement:
    values = np.frombuffer(kept, "<f8")
    return Movement(values[1:].reshape(-1, like.mean.shape[1]), float(values[0]))


def _numbers(evaluation: Evaluation, movement: Movement) -> list[int]:
    """Return the numbers of a movement on its benchmark."""
    sides = _planes(movement.mean.size) @ movement.mean.ravel() > 0
    bands = np.packbits(sides.reshape(BANDS, PLANES), axis=1)
    place = f"movement {evaluation.benchmark_id}".encode()
    return [_number(place + bytes([band]) + bits.tobytes()) for band, bits in enumerate(bands)]


def _number(data: bytes) -> int:
    return int.from_bytes(hashlib.blake2b(data, digest_size=8).digest(), "big") >> 1


@lru_cache(maxsize=8)
def _planes(size: int) -> Array:
    """Draw the planes for movements of a size, the same ones in every process."""
    return np.random.default_rng([BANDS, PLANES, size]).standard_normal((BANDS * PLANES, size))
