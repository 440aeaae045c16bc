"""Exports a benchmark to one file, and imports it elsewhere: a plain tar that begins with the manifest."""

import hashlib
import io
import shutil
import tarfile
from pathlib import Path
from typing import IO
from uuid import uuid4

from services.core.bundle.directory import Bundle
from services.core.bundle.manifest import MANIFEST, BadBundle, Manifest
from services.core.errors import Conflict

__all__ = ["export_bundle", "import_bundle"]

MAX_MANIFEST_BYTES = 4 * 1024**2
BLOCK = 1024**2


class PlaceTaken(Conflict):
    code = "place_taken"


def export_bundle(bundle: Bundle, archive: Path) -> None:
    """Verify a benchmark and write it to one file; the same benchmark gives the same bytes. Raises BadBundle."""
    if archive.exists():
        raise PlaceTaken(f"{archive} already exists. Delete it, or choose another file name.")
    bundle.verify()
    partial = archive.with_name(f"{archive.name}.partial-{uuid4().hex}")
    try:
        with tarfile.open(partial, "w", format=tarfile.PAX_FORMAT) as packed:
            manifest = bundle.manifest.to_bytes()
            packed.addfile(_member(MANIFEST, len(manifest)), io.BytesIO(manifest))
            for relative, entry in bundle.manifest.files.items():
                with (bundle.root / relative).open("rb") as file:
                    packed.addfile(_member(relative, entry.size_bytes), file)
        partial.rename(archive)
    finally:
        partial.unlink(missing_ok=True)


def import_bundle(archive: Path, destination: Path, *, digest: str | None = None) -> Bundle:
    """Unpack a file that `export_bundle` wrote and check every byte; a failure leaves nothing behind.

    The file may come from anyone, so this reads only members that the manifest names, and only up to the size that it
    gives. With `digest`, the benchmark must have that digest. Raises BadBundle, naming the member, or PlaceTaken.
    """
    if destination.exists():
        raise PlaceTaken(f"{destination} already exists. Delete it, or choose another directory with --out.")
    partial = destination.with_name(f"{destination.name}.partial-{uuid4().hex}")
    try:
        with tarfile.open(archive, "r|") as packed:
            _unpack(packed, partial, digest)
        partial.rename(destination)
    except FileNotFoundError as error:
        raise BadBundle(f"{archive} does not exist. Check the path.") from error
    except (tarfile.TarError, OSError, EOFError) as error:
        raise BadBundle(f"{archive} cannot be unpacked: {error}. Export the benchmark again.") from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return Bundle(destination)


def _member(name: str, size: int) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.size, member.mode = size, 0o644
    return member


def _unpack(packed: tarfile.TarFile, target: Path, digest: str | None) -> None:
    first = packed.next()
    if first is None or first.name != MANIFEST or not first.isfile() or first.size > MAX_MANIFEST_BYTES:
        raise BadBundle(
            f"The archive does not begin with {MANIFEST}, so it is not an exported benchmark. "
            "Create one with `lethe benchmark export`."
        )
    data = _file_of(packed, first).read(first.size)
    manifest = Manifest.from_bytes(data)
    if digest is not None and manifest.digest != digest:
        raise BadBundle(f"The archive contains benchmark {manifest.digest}, not {digest}.")
    missing = dict(manifest.files)
    while (member := packed.next()) is not None:
        entry = missing.pop(member.name, None)
        if entry is None or not member.isfile() or member.size != entry.size_bytes:
            raise BadBundle(f"{member.name} does not match the manifest. Export the benchmark again.")
        found = _copy(_file_of(packed, member), target / member.name)
        if found != entry.sha256:
            raise BadBundle(f"{member.name} is damaged: its SHA-256 is {found}; the manifest says {entry.sha256}.")
    if missing:
        raise BadBundle(f"{sorted(missing)[0]} is missing from the archive.")
    target.mkdir(parents=True, exist_ok=True)
    (target / MANIFEST).write_bytes(data)


def _file_of(packed: tarfile.TarFile, member: tarfile.TarInfo) -> IO[bytes]:
    file = packed.extractfile(member)
    assert file is not None  # extractfile returns None only for members that are not regular files
    return file


def _copy(source: IO[bytes], path: Path) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    digest = hashlib.sha256()
    with path.open("wb") as file:
        while block := source.read(BLOCK):
            digest.update(block)
            file.write(block)
    return digest.hexdigest()
