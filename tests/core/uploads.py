"""Files to upload, good and bad."""

import io
import zipfile

import pytest

from services.core.submission.file import check
from services.core.submission.source import Rejected

SIGNATURE = "def unlearning(net, retain_loader, forget_loader, val_loader)"
MODULE = f"{SIGNATURE}:\n    return net\n".encode()


def make_zip(files: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def code_of(filename: str, data: bytes) -> str:
    """Return the code of the refusal, having checked that it says what to do."""
    with pytest.raises(Rejected) as caught:
        check(filename, data)
    assert caught.value.status == 422
    remedy = caught.value.details["remedy"]
    assert isinstance(remedy, str) and caught.value.message.endswith(remedy)
    return caught.value.code
