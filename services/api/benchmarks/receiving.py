"""Receives benchmarks part by part. A part counts once its bytes are stored and its row is committed.

Parts come in order, each of one size, so that an upload goes on from a number: whatever broke, nothing that counted is
sent again, and two who send the same upload cannot mix, because each part names the byte at which it belongs.
"""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import ColumnElement, select, true

from services.api.benchmarks.schemas import NewBenchmarkUpload
from services.api.kit.auth import Principal
from services.core.errors import BadInput, Conflict, NotFound
from services.core.models import Account, BenchmarkUpload, BenchmarkUploadPart, BenchmarkUploadState, Role
from services.core.settings import Settings
from services.core.store.blobs import TooLarge
from services.core.store.database import ReadSession, WriteSession, clock
from services.core.store.parts import PART_BYTES, PartStore
from services.core.store.room import require_room

__all__ = [
    "DamagedPart",
    "TooManyUploads",
    "UploadClosed",
    "WrongOffset",
    "add_part",
    "begin",
    "expected_bytes",
    "find_upload",
    "forget_unless_counted",
    "may_publish",
    "seen_by",
]

MOST_OPEN = 3  # of one account
OPEN = (
    *(BenchmarkUploadState.UPLOADING, BenchmarkUploadState.VERIFYING),
    *(BenchmarkUploadState.WAITING, BenchmarkUploadState.PUBLISHING),
)
COPIES = 2  # on the disk while an upload is checked: its parts, and what they unpack to


class TooManyUploads(Conflict):
    code = "too_many_uploads"


class UploadClosed(Conflict):
    """The upload takes no parts any more, or its state does not allow an act."""

    code = "upload_closed"


class WrongOffset(Conflict):
    """Another part is due; `received_bytes` says which."""

    code = "wrong_offset"


class DamagedPart(BadInput):
    code = "damaged_part"


def may_publish(session: ReadSession, who: Principal) -> bool:
    """Tell whether a caller may consent to uploads: an operator, or an organiser whom an operator trusts with it."""
    if who.is_operator:
        return True
    return who.role is Role.ORGANISER and session.get_one(Account, who.account_id).publishes_benchmarks


def seen_by(session: ReadSession, who: Principal) -> ColumnElement[bool]:
    """Return the condition of uploads that a caller sees: all that they may publish, else their own."""
    return true() if may_publish(session, who) else BenchmarkUpload.account_id == who.account_id


def find_upload(session: ReadSession, who: Principal, upload_id: UUID, *, lock: bool = False) -> BenchmarkUpload:
    """Find an upload that the caller may see. Raises NotFound."""
    wanted = select(BenchmarkUpload).where(BenchmarkUpload.id == upload_id, seen_by(session, who))
    found = session.scalars(wanted.with_for_update() if lock else wanted).one_or_none()
    if found is None:
        raise NotFound("There is no such upload. List yours with `lethe benchmark uploads`.")
    return found


def begin(
    session: WriteSession, settings: Settings, who: Principal, new: NewBenchmarkUpload
) -> tuple[BenchmarkUpload, bool]:
    """Begin an upload, or find the caller's own of the same file that is not complete; tell whether it is new.

    Raises TooLarge, TooManyUploads, or NoRoom.
    """
    session.scalars(select(Account).where(Account.id == who.account_id).with_for_update(key_share=True)).one()
    own = BenchmarkUpload.account_id == who.account_id
    same = (BenchmarkUpload.size_bytes == new.size_bytes, BenchmarkUpload.head_sha256 == new.head_sha256)
    going_on = select(BenchmarkUpload).where(own, *same, BenchmarkUpload.state == BenchmarkUploadState.UPLOADING)
    if (found := session.scalars(going_on.limit(1)).one_or_none()) is not None:
        return found, False
    limit = settings.max_benchmark_bytes
    if new.size_bytes > limit:
        raise TooLarge(
            f"The benchmark has {new.size_bytes:,} bytes; this server takes at most {limit:,}. Ask an operator to "
            "raise LETHE_MAX_BENCHMARK_BYTES, or to import it with `lethe benchmark import`."
        )
    under_way: Sequence[str] = session.scalars(
        select(BenchmarkUpload.filename).where(own, BenchmarkUpload.state.in_(OPEN))
    ).all()
    if len(under_way) >= MOST_OPEN:
        raise TooManyUploads(
            f"You have {len(under_way)} uploads that are not decided: {', '.join(under_way)}. Give one up, or wait."
        )
    require_room(settings.data_dir, COPIES * new.size_bytes, "This benchmark")
    row = BenchmarkUpload(
        account_id=who.account_id, filename=new.filename, size_bytes=new.size_bytes, head_sha256=new.head_sha256
    )
    session.add(row)
    session.flush()
    return row, True


def expected_bytes(session: ReadSession, who: Principal, upload_id: UUID, offset: int, sha256: str) -> int:
    """Return how long the part at an offset has to be; 0 if it counts already. Raises as `add_part`."""
    row = find_upload(session, who, upload_id)
    return 0 if _has(session, row, offset, sha256) else _due(row, who, offset)


def add_part(
    session: WriteSession, who: Principal, upload_id: UUID, *, offset: int, size_bytes: int, sha256: str
) -> BenchmarkUpload:
    """Let a stored part count; once all have come, the upload is verified. The same part again changes nothing.

    Raises NotFound, UploadClosed, WrongOffset or DamagedPart.
    """
    row = find_upload(session, who, upload_id, lock=True)
    if _has(session, row, offset, sha256):
        return row
    if size_bytes != _due(row, who, offset):
        raise WrongOffset("The part has another size than the one that is due.", received_bytes=row.received_bytes)
    if offset == 0 and sha256 != row.head_sha256:
        raise DamagedPart("The file is not the one that this upload began with. Begin a new upload.")
    session.add(BenchmarkUploadPart(upload_id=row.id, offset_bytes=offset, sha256=sha256))
    row.received_bytes, row.moved_at = offset + size_bytes, clock(session)
    if row.received_bytes == row.size_bytes:
        row.state = BenchmarkUploadState.VERIFYING
    session.flush()
    return row


def forget_unless_counted(session: ReadSession, parts: PartStore, upload_id: UUID, offset: int, sha256: str) -> None:
    """Remove a part that was stored and then refused, unless the very same one counts."""
    part = session.get(BenchmarkUploadPart, (upload_id, offset))
    if part is None or part.sha256 != sha256:
        parts.forget(upload_id, offset, sha256)


def _has(session: ReadSession, row: BenchmarkUpload, offset: int, sha256: str) -> bool:
    part = session.get(BenchmarkUploadPart, (row.id, offset))
    return part is not None and part.sha256 == sha256


def _due(row: BenchmarkUpload, who: Principal, offset: int) -> int:
    """Return the size of the part that is due, if it is the one at an offset. Raises UploadClosed or WrongOffset."""
    if row.account_id != who.account_id:
        raise UploadClosed("Only the person who began an upload can go on with it.")
    if row.state is not BenchmarkUploadState.UPLOADING:
        raise UploadClosed(f"The upload is {row.state}; it takes no more parts.", state=row.state)
    if offset != row.received_bytes:
        raise WrongOffset(
            f"The next part begins at byte {row.received_bytes:,}, not at {offset:,}. Go on from there.",
            received_bytes=row.received_bytes,
        )
    return min(PART_BYTES, row.size_bytes - offset)
