"""Uploads that intake refuses: file name, contents, code of the error."""

from tests.api.harness import MODULE
from tests.core.uploads import make_zip

__all__ = ["REFUSED"]

REFUSED = [
    ("entry.py", b"def unlearning(", "not_python"),
    ("entry.py", b"\0\0", "not_python"),
    ("entry.py", b"x = 1", "no_unlearning"),
    ("entry.py", b"def unlearning(net): pass", "wrong_arity"),
    ("entry.ipynb", b"{}", "no_notebooks"),
    ("entry.exe", b"MZ", "unsupported_file"),
    ("entry.zip", b"PK", "bad_archive"),
    ("entry.zip", make_zip({"submission.py": MODULE, "../x": b""}), "unsafe_archive"),
    ("entry.zip", make_zip({"submission.py": MODULE, "zeros": bytes(20 * 1024**2)}), "archive_too_large"),
]
