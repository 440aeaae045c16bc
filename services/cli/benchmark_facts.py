"""How `lethe benchmark` takes a benchmark, and what it prints of one."""

from typing import TYPE_CHECKING, Annotated

import typer

from services.cli.console import print_json

if TYPE_CHECKING:
    from services.core.bundle.directory import Bundle
    from services.core.bundle.manifest import Learning

__all__ = ["AsJson", "Benchmark", "show"]

Benchmark = Annotated[str, typer.Argument(help="A benchmark's name, or its directory.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the manifest as JSON.")]


def show(bundle: "Bundle", as_json: bool) -> None:
    """Print what a benchmark is made of, and how fit it is."""
    manifest = bundle.manifest
    if as_json:
        own = {"digest": manifest.digest, "directory": str(bundle.root), "remarks": bundle.remarks()}
        print_json({**own, **manifest.model_dump(mode="json")})
        return
    counts = manifest.counts
    lines = {
        "digest": manifest.digest,
        "directory": str(bundle.root),
        "dataset": f"{manifest.dataset} ({manifest.licence})",
        "problem": f"{manifest.problem}: retraining without the forget set is the reference",
        "forget set": manifest.scenario,
        "split": manifest.split,
        "images": f"{counts.retain} retain, {counts.forget} forget, {counts.validation} validation, {counts.test} test",
        "architecture": manifest.architecture,
        **({} if manifest.learning is None else {"learning": _learned(manifest.learning)}),
        "originals": f"{manifest.originals}, from which runs start",
        **({"placebos": f"{manifest.placebos}, from which runs of a placebo audit start"} if manifest.placebos else {}),
        "oracle": f"{manifest.oracle_seeds} models retrained from scratch on {manifest.device}",
        "seeds": f"derived from a secret with SHA-256 {manifest.seed_commitment}",
    }
    typer.echo(f"{manifest.title} ({manifest.name})")
    for key, value in lines.items():
        typer.echo(f"  {key:<14}{value}")
    for key, number in manifest.fitness.model_dump(exclude={"problems", "placebo_qualities"}).items():
        if number is not None:
            typer.echo(f"  {key.replace('_', ' '):<26}{number:.3f}")
    for remark in bundle.remarks():
        typer.echo(f"  note: {remark}")
    for problem in manifest.fitness.problems:
        typer.echo(f"  unfit: {problem}")
    if manifest.accepted_unfit is not None:
        typer.echo(f"  used although unfit: {manifest.accepted_unfit}")


def _learned(learning: "Learning") -> str:
    """Write the constants that a certificate needs, in the letters of `docs/certificates.md`."""
    noise = f"{learning.sigma:g}" if learning.sigma else f"{learning.published_sigma:g} on the published model"
    batches = f", {learning.batches} batches in turn" if learning.batches > 1 else ""
    constants = f"m {learning.strong_convexity:g}, L {learning.smoothness:g}, M {learning.lipschitz:.8g}"
    return f"{learning.steps} steps of 1/L{batches}; {constants}, sigma {noise}, radius {learning.radius:g}"
