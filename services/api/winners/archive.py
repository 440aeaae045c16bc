"""The archive of one finalist for those who judge it: code, licence, runs, receipts and measurements."""

import json
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from tempfile import SpooledTemporaryFile
from typing import IO, Any
from uuid import UUID

from fastapi.encoders import jsonable_encoder
from sqlalchemy import select

from services.api.record.receipts import statement_about
from services.api.winners.schemas import FinalistOut
from services.core.board import counting
from services.core.board.shown import FiguresForm
from services.core.finals.winners import consent_of, workers_of
from services.core.models import Evaluation, MeasurementRow, Submission, VerifyingRun
from services.core.record.receipts import ReceiptKey
from services.core.store.blobs import BlobMissing, Blobs
from services.core.store.database import ReadSession

__all__ = ["write_archive"]

IN_MEMORY = 4 * 1024**2
PORTION = 1024**2
SAFE = re.compile(r"[^A-Za-z0-9._-]")


def write_archive(session: ReadSession, blobs: Blobs, key: ReceiptKey, finalist: FinalistOut) -> Iterator[bytes]:
    """Write the archive of a finalist, blob by blob; yield its bytes."""
    spool = SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115 - it is closed when it has been read
    with zipfile.ZipFile(spool, "w", zipfile.ZIP_DEFLATED) as packed:
        _Packing(packed, session, blobs).write(finalist, key)
    return _read(spool)


def _read(spool: IO[bytes]) -> Iterator[bytes]:
    with spool:
        spool.seek(0)
        while chunk := spool.read(PORTION):
            yield chunk


@dataclass(slots=True)
class _Packing:
    packed: zipfile.ZipFile
    session: ReadSession
    blobs: Blobs
    missing: list[str] = field(default_factory=list)

    def write(self, finalist: FinalistOut, key: ReceiptKey) -> None:
        selected = self.session.get_one(Submission, finalist.submission_id)
        self._add("finalist.json", finalist)
        agreed = consent_of(self.session, selected.id)
        if agreed is not None:
            words = {
                "licence": agreed.licence,
                "rules_version": agreed.rules_version,
                "account": agreed.account_id,
                "at": agreed.created_at,
            }
            self._add("licence.json", words)
        self._add_blob(f"code/{SAFE.sub('_', selected.filename)}", selected.blob)
        for place in finalist.places:
            self._add_entry(place.phase, self.session.get_one(Submission, place.submission_id), key)
        if self.missing:
            self.packed.writestr("MISSING.txt", "".join(f"{name}\n" for name in self.missing))

    def _add_entry(self, folder: str, entry: Submission, key: ReceiptKey) -> None:
        score = counting.counting_score(self.session, entry.phase, entry.evaluation_id)
        if score is not None:
            self._add(f"{folder}/receipt.json", key.sign(statement_about(self.session, entry, score)))
        self._add_runs(f"{folder}/counting", entry.evaluation_id if score is None else score.evaluation_id)
        runs = select(VerifyingRun).where(VerifyingRun.submission_id == entry.id).order_by(VerifyingRun.created_at)
        for number, run in enumerate(self.session.scalars(runs).all(), start=1):
            facts = {"same_seeds": run.same_seeds, "avoids": run.avoids, "at": run.created_at}
            self._add(f"{folder}/again-{number}/run.json", facts)
            self._add_runs(f"{folder}/again-{number}", run.evaluation_id)

    def _add_runs(self, folder: str, evaluation_id: UUID) -> None:
        evaluation = self.session.get_one(Evaluation, evaluation_id)
        rows = select(MeasurementRow).where(MeasurementRow.evaluation_id == evaluation_id)
        facts = {
            "evaluation": evaluation.id,
            "state": evaluation.shown_state,
            "failure": evaluation.failure_kind,
            "device_class": evaluation.device_class,
            "workers": sorted(workers_of(self.session, evaluation_id)),
            "provenance": evaluation.provenance,
            "scores": [FiguresForm.model_validate(score) for score in evaluation.scores],
            "runs": [
                {name: getattr(row, name) for name in ("seed", "checkpoint_sha256", "run_s", "sandbox")}
                for row in self.session.scalars(rows.order_by(MeasurementRow.seed))
            ],
        }
        self._add(f"{folder}/runs.json", facts)
        if evaluation.measurements_blob is not None:
            self._add_blob(f"{folder}/measurements.safetensors", evaluation.measurements_blob)
        if evaluation.stress_blob is not None:
            self._add_blob(f"{folder}/robustness.safetensors", evaluation.stress_blob)
        if evaluation.placebo_blob is not None:
            self._add_blob(f"{folder}/placebo.safetensors", evaluation.placebo_blob)

    def _add(self, name: str, value: Any) -> None:
        self.packed.writestr(name, json.dumps(jsonable_encoder(value), indent=1) + "\n")

    def _add_blob(self, name: str, digest: str) -> None:
        try:
            self.packed.writestr(name, self.blobs.get(digest))
        except BlobMissing:
            self.missing.append(name)
