"""Release archives: benchmarks that others import instead of building them for hours.

A benchmark holds measurements of its oracles, never their weights, so its export is small, with all that evaluating and
scoring need. A release is a directory with an export of each benchmark, `SHA256SUMS`, and a page that says how to check
and import them.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from services.core.bundle.archive import export_bundle
from services.core.bundle.directory import Bundle
from services.core.errors import BadInput

__all__ = ["MOST_BYTES", "Released", "write_release"]

MOST_BYTES = 64_000_000
SUMS, PAGE = "SHA256SUMS", "BENCHMARKS.md"


class ReleaseTooLarge(BadInput):
    code = "release_too_large"


@dataclass(frozen=True, slots=True)
class Released:
    """One benchmark of a release."""

    name: str
    digest: str
    size_bytes: int
    sha256: str  # of its archive


def write_release(bundles: Sequence[Bundle], directory: Path, *, most_bytes: int = MOST_BYTES) -> list[Released]:
    """Write release archives into a directory that must be absent or empty; return what they are.

    Raises UnfitBenchmark, BadBundle, TooLarge if an archive would have more than `most_bytes`, and BadInput if two
    benchmarks have one name or the directory is not empty. All of it is checked before anything is written.
    """
    names = [bundle.manifest.name for bundle in bundles]
    if len(set(names)) < len(names):
        raise BadInput("Two of the benchmarks have the same name. Release each name once.")
    if directory.exists() and (not directory.is_dir() or any(directory.iterdir())):
        raise BadInput(f"{directory} exists and is not an empty directory. Delete it, or choose another with --out.")
    for bundle in bundles:
        bundle.require_fit()
        _require_small(bundle, most_bytes)
    directory.mkdir(parents=True, exist_ok=True)
    released = [_write(bundle, directory / f"{bundle.manifest.name}.tar") for bundle in bundles]
    sums = "".join(f"{one.sha256}  {one.name}.tar\n" for one in released)
    (directory / SUMS).write_text(sums, encoding="ascii")
    (directory / PAGE).write_text(_page(bundles, released), encoding="utf-8")
    return released


def _require_small(bundle: Bundle, most_bytes: int) -> None:
    sizes = {name: entry.size_bytes for name, entry in bundle.manifest.files.items()}
    if sum(sizes.values()) > most_bytes:
        largest = max(sizes, key=sizes.__getitem__)
        raise ReleaseTooLarge(
            f"{bundle.manifest.name} has {sum(sizes.values()) / 1e6:.1f} MB, but a release archive has at most "
            f"{most_bytes / 1e6:.0f} MB. Its largest file is {largest}, {sizes[largest] / 1e6:.1f} MB. Build it with "
            "fewer --originals or --seeds."
        )


def _write(bundle: Bundle, archive: Path) -> Released:
    export_bundle(bundle, archive)
    with archive.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    return Released(bundle.manifest.name, bundle.manifest.digest, archive.stat().st_size, sha256)


def _page(bundles: Sequence[Bundle], released: Sequence[Released]) -> str:
    lines = [
        "# Ready-made benchmarks",
        "",
        "Check the archives and import them. `import` compares every byte with the manifest, and that with the digest:",
        "",
        "```sh",
        f"sha256sum --check {SUMS}",
        *(f"lethe benchmark import {one.name}.tar --digest {one.digest}" for one in released),
        "```",
        "",
        "| benchmark | data | oracles | originals | MB |",
        "|---|---|---|---|---|",
    ]
    for bundle, one in zip(bundles, released, strict=True):
        manifest = bundle.manifest
        lines.append(
            f"| `{one.name}` | {manifest.dataset} ({manifest.licence}) | {manifest.oracle_seeds} models each, "
            f"measured, no weights | {manifest.originals} | {one.size_bytes / 1e6:.1f} |"
        )
    lines += ["", "The archives hold the hidden parts. Practise on them, but hold no contest with prizes on them.", ""]
    return "\n".join(lines)
