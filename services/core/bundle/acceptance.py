"""Accepts an unfit benchmark for use, with a reason that stays in its manifest.

A threshold cannot know every contest: the evaluation of 2023 itself had a placebo ratio near the least that a build
asks for. So the person who publishes a benchmark can overrule the build. The reason becomes part of the manifest: the
benchmark gets another digest, and every copy of it says why.
"""

from services.core.bundle.directory import Bundle
from services.core.bundle.manifest import MANIFEST, Manifest
from services.core.errors import BadInput, Conflict
from services.core.text import tidy

__all__ = ["AlreadyAccepted", "accept_unfit"]

MOST_CHARACTERS = 500


class AlreadyAccepted(Conflict):
    """An unfit benchmark was accepted for another reason."""

    code = "already_accepted"


def accept_unfit(bundle: Bundle, reason: str) -> Bundle:
    """Write the reason for using an unfit benchmark into its manifest; return the benchmark with its new digest.

    Raises BadInput if the reason is empty or too long or the benchmark is fit, and AlreadyAccepted.
    """
    manifest = bundle.manifest
    words = " ".join(tidy(reason).split())
    if not 0 < len(words) <= MOST_CHARACTERS:
        raise BadInput(f"Give a reason of 1 to {MOST_CHARACTERS} characters, not {len(words)}.")
    if not manifest.fitness.problems:
        raise BadInput(f"{manifest.name} is fit. Leave out --accept-unfit.")
    if manifest.accepted_unfit == words:
        return bundle
    if manifest.accepted_unfit is not None:
        raise AlreadyAccepted(
            f"{manifest.name} was accepted before, for this reason: {manifest.accepted_unfit} Leave out "
            "--accept-unfit, or build the benchmark again."
        )
    accepted = Manifest.model_validate(manifest.model_dump() | {"accepted_unfit": words})
    path = bundle.root / MANIFEST
    partial = path.with_name(f"{path.name}.partial")
    partial.write_bytes(accepted.to_bytes())
    partial.replace(path)
    return Bundle(bundle.root)
