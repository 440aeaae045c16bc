"""`lethe benchmark build --dry-run`: what a build takes, measured before it is paid for."""

import tempfile
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from services.cli.building import Stages, stages_on
from services.cli.console import print_json, progress, say
from services.core.errors import BadInput

if TYPE_CHECKING:
    from services.benchmarks.definitions import Definition
    from services.benchmarks.rehearsing import Rehearsal
    from services.core.settings import Settings

__all__ = ["dry_run", "refuse_with_dry_run"]

BUSY_BELOW = 0.9
ASSUMPTIONS = (
    "Every step is assumed to take as long as the timed ones, and every process to be as busy. "
    "Diverged models and other work on this machine are not counted."
)


def refuse_with_dry_run(**given: bool) -> None:
    """Raise BadInput if options were given that make no sense in a dry run."""
    wrong = [f"--{name.replace('_', '-')}" for name, is_given in given.items() if is_given]
    if wrong:
        raise BadInput(f"A dry run builds nothing. Leave out {' and '.join(wrong)}.")


def dry_run(
    settings: "Settings",
    definition: "Definition",
    *,
    data: Path | None,
    seeds: int,
    originals: int,
    keep_checkpoints: bool,
    as_json: bool,
) -> None:
    """Rehearse a build on the dataset, or on a stand-in of its size; print what it takes, and leave nothing."""
    from services.benchmarks.order import Order
    from services.benchmarks.rehearsing import rehearse
    from services.scorer.scoring import forgetting_quality_of

    settings.make_data_dir()
    with ExitStack() as stack:
        place = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="lethe-dry-run-")))
        stages = stages_on(stack.enter_context(progress()))
        cache = settings.data_dir / "datasets"
        files = None
        if definition.needs_data and data is None:
            files, cache, data = _draw(definition.dataset, place, stages), place / "cache", place / "data"
        order = Order(
            definition=definition,
            dataset=definition.read(data, cache=cache, progress=stages),
            seeds=seeds,
            quality=forgetting_quality_of,
            originals=originals,
            keep_checkpoints=keep_checkpoints,
        )
        (place / "build").mkdir()
        found = rehearse(order, place / "build", progress=stages)
    _show(definition, seeds, found, files, as_json=as_json)


def _draw(dataset: str, place: Path, stages: Stages) -> dict[str, Any]:
    """Draw the stand-in for a dataset into `data`; describe its files."""
    from services.benchmarks.stand_ins import stand_in_for

    stand_in = stand_in_for(dataset)
    say(
        f"No --data is given, so the dry run draws {stand_in.images} images of {stand_in.subjects} invented people, as "
        "many as the dataset has. They are deleted at its end."
    )
    stand_in.write(place / "data", lambda done, total: stages("drawing images", done, total))
    sizes = [path.stat().st_size for path in (place / "data").rglob("*.jpg")]
    return {"images": len(sizes), "bytes": sum(sizes), "side": stand_in.side}


def _show(
    definition: "Definition", seeds: int, found: "Rehearsal", files: dict[str, Any] | None, *, as_json: bool
) -> None:
    if as_json:
        print_json({"benchmark": definition.name, "seeds": seeds, "files": files, **asdict(found)})
        return
    size = {name: f"{count / 1e9:.2f} GB" for name, count in _bytes_of(found).items()}
    sets = ", ".join(f"{count} {name}" for name, count in found.counts.items())
    lines = {
        **(
            {}
            if files is None
            else {
                "files": f"{files['images']} JPEGs of {files['side']}x{files['side']} (stand-ins), "
                f"{files['bytes'] / 1e6:.0f} MB"
            }
        ),
        "images": f"{found.images}: {sets}",
        "memory": f"{size['memory']} at most: {size['parent']}, and {found.processes} times {size['process']}",
        "disk": f"{size['building']} at most while building, {size['planned']} for the benchmark",
        "benchmark": f"{size['bundle']} written at full size, and deleted again",
        "a step": f"{_short(found.step_s)} of one model; measuring a model: {_short(found.measure_s)} "
        f"({found.rehearsed} models on {found.device})",
        "speed": f"{found.models_per_s:.3g} models a second by {found.processes} processes",
        "time": f"about {_duration(found.build_s)}: {found.models} models in full, {found.runs} runs of the reference "
        "algorithm",
    }
    typer.echo(f"{definition.title} ({definition.name}), two oracles of {seeds} models each")
    for key, value in lines.items():
        typer.echo(f"  {key:<11}{value}")
    typer.echo(ASSUMPTIONS)
    if found.device == "cpu" and found.core_share < BUSY_BELOW:
        typer.echo(
            f"Other work left each process {found.core_share:.0%} of a core. Without it, the build takes about "
            f"{_duration(found.build_s * found.core_share)}."
        )


def _bytes_of(found: "Rehearsal") -> dict[str, int]:
    return {
        "memory": found.memory_bytes,
        "parent": found.parent_bytes,
        "process": found.process_bytes,
        "building": found.disk.building,
        "planned": found.disk.bundle,
        "bundle": found.bundle_bytes,
    }


def _short(seconds: float) -> str:
    return f"{seconds:.3g} s" if seconds >= 1 else f"{1e3 * seconds:.3g} ms"


def _duration(seconds: float) -> str:
    for name, length in (("days", 86400), ("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.1f} {name}"
    return f"{seconds:.0f} seconds"
