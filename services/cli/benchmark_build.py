"""`lethe benchmark build`: what was asked for is checked, and then rehearsed, or built in part or in full."""

import re
from pathlib import Path
from typing import Annotated

import typer

from services.cli.benchmark_facts import AsJson, show
from services.cli.building import build_order, read_definition, require_fit, stages_on
from services.cli.console import progress, say
from services.core.errors import BadInput

__all__ = ["build"]

SMALLEST_ORACLE = 8


def build(
    name: Annotated[str, typer.Argument(help="The benchmark to build; `lethe benchmark list` shows them.")],
    seeds: Annotated[
        str | None,
        typer.Option(help="Models in each oracle, often 512; or A:B, only those from A to below B, to share the work."),
    ] = None,
    data: Annotated[Path | None, typer.Option(help="The directory that holds the dataset's files.")] = None,
    scenario: Annotated[
        str | None,
        typer.Option(help="What to forget: random:500, random:10%, subjects:15, class:3, subclass:7."),
    ] = None,
    secret_file: Annotated[
        Path | None,
        typer.Option(help="The secret that all seeds derive from; created if missing. Default: random, not kept."),
    ] = None,
    drawn_for: Annotated[
        str | None,
        typer.Option("--for", help="For each such name, draw another split, forget set and original from the secret."),
    ] = None,
    originals: Annotated[
        int | None,
        typer.Option(
            min=1, max=64, help="Original models over which runs are spread. Default: 8; for notebooks' benchmarks 1."
        ),
    ] = None,
    parts: Annotated[
        list[Path] | None,
        typer.Option("--from", help="A part that another machine built with --seeds A:B. Repeatable."),
    ] = None,
    keep_checkpoints: Annotated[
        bool, typer.Option(help="Also pack the oracles' models into a zip beside the benchmark.")
    ] = False,
    robustness: Annotated[
        bool, typer.Option(help="Also measure what the robustness stage of a phase compares with.")
    ] = False,
    rehearsal: Annotated[
        bool,
        typer.Option(
            "--dry-run",
            help="Build nothing: measure memory, disk and speed at full size. Without --data, on stand-ins.",
        ),
    ] = False,
    bundle_name: Annotated[str | None, typer.Option("--name", help="The name to give it.")] = None,
    out: Annotated[
        Path | None, typer.Option(help="The directory to create; default: one in the data directory.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Train the original model and the oracle, check that the benchmark is fit, and write its bundle.

    Run the same command again after an interruption: finished models are kept.

    \b
    Before you buy data or machines for a long build, measure what it takes:
      lethe benchmark build casia-surf --dry-run

    \b
    For a competition, make the final benchmark before it begins, and keep the secret until it ends:
      lethe benchmark build digits --for public --secret-file secret
      lethe benchmark build digits --for final --secret-file secret

    \b
    To share the work, copy the secret to every machine, and copy the parts that they build to one of them:
      lethe benchmark build digits --seeds 0:256 --secret-file secret --out part-a
      lethe benchmark build digits --seeds 256:512 --secret-file secret --out part-b
      lethe benchmark build digits --seeds 512 --secret-file secret --from part-a --from part-b
    """
    from services.benchmarks.build import train_part
    from services.benchmarks.order import Order
    from services.benchmarks.resuming import read_secret
    from services.core.settings import load_settings
    from services.scorer.scoring import forgetting_quality_of

    settings = load_settings()
    first, last = (None, None) if seeds is None else _range_of(seeds)
    _require_secret_file(secret_file, drawn_for, is_part=first is not None)
    if rehearsal:
        from services.benchmarks.catalogue import find_definition
        from services.cli.rehearsing import dry_run, refuse_with_dry_run

        part = first is not None
        refuse_with_dry_run(
            **{"seeds A:B": part, "from": bool(parts), "robustness": robustness, "out": out is not None}
        )
        definition = find_definition(name).with_scenario(scenario)
        dry_run(
            settings,
            definition,
            data=data,
            seeds=last or definition.seeds,
            originals=originals or definition.originals,
            keep_checkpoints=keep_checkpoints,
            as_json=as_json,
        )
        return
    called = bundle_name or _default_name(name, drawn_for, scenario)
    with progress() as bars:
        stages = stages_on(bars)
        definition, dataset = read_definition(settings, name, stages, data=data, scenario=scenario)
        order = Order(
            definition=definition,
            dataset=dataset,
            seeds=last or definition.seeds,
            quality=forgetting_quality_of,
            name=called,
            scenario_text=scenario,
            secret=None if secret_file is None else read_secret(secret_file, make=True),
            drawn_for=drawn_for,
            keep_checkpoints=keep_checkpoints,
            robustness=robustness,
            originals=originals or definition.originals,
        )
        if first is not None and last is not None:
            place = out or settings.benchmarks_dir / f"{called}.part-{first}-{last}"
            train_part(order, place, first, last, progress=stages)
            say(f"Models {first} to {last - 1} of both oracles are in {place}. Pass it to the build with --from.")
            return
        bundle = build_order(order, out or settings.benchmarks_dir / called, parts or [], stages)
    show(bundle, as_json)
    require_fit(bundle)


def _require_secret_file(secret_file: Path | None, drawn_for: str | None, *, is_part: bool) -> None:
    if (drawn_for is not None or is_part) and secret_file is None:
        raise BadInput("Name a file for the secret with --secret-file. It is created if it does not exist.")
    if drawn_for is not None and not re.fullmatch(r"[a-z0-9-]{1,20}", drawn_for):
        raise BadInput("--for takes up to 20 lower-case letters, digits and hyphens, such as final.")


def _range_of(seeds: str) -> tuple[int | None, int]:
    """Read 512 as (None, 512), and 0:256 as (0, 256)."""
    first, colon, last = seeds.rpartition(":")
    if not last.isdecimal() or (colon and not first.isdecimal()):
        raise BadInput(f"--seeds takes a number such as 512 or a range such as 0:256, not {seeds}.")
    if not colon and int(last) < SMALLEST_ORACLE:
        raise BadInput(f"An oracle needs at least {SMALLEST_ORACLE} models.")
    return int(first) if colon else None, int(last)


def _default_name(name: str, drawn_for: str | None, scenario: str | None) -> str:
    words = [name, *(re.sub(r"[^a-z0-9]+", "-", word).strip("-") for word in (scenario, drawn_for) if word)]
    return "-".join(words)
