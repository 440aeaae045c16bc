"""`lethe replay`: a submission run again here, as its phase runs it, on a benchmark whose data are public."""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from services.cli.client import open_client
from services.cli.console import milestone, print_json, progress, require_place, say
from services.cli.differences import Here, differences
from services.cli.endings import Ending
from services.cli.evaluate import PRINTED_LINES
from services.cli.participant import Json, Url
from services.core.errors import NotFound

if TYPE_CHECKING:
    from services.core.bundle.directory import Bundle
    from services.core.device import Device
    from services.core.models import EnvironmentRow
    from services.core.settings import Settings
    from services.worker.station import Place, Traces

__all__ = ["replay"]


def replay(
    submission: Annotated[str, typer.Argument(help="The id that `lethe submit` printed.")],
    benchmark: Annotated[
        str | None,
        typer.Option(help="A benchmark's name, or its directory. Default: one built here from the same definition."),
    ] = None,
    seeds: Annotated[
        int | None, typer.Option(min=1, help="Run it at most so often. Default: as often as the phase does.")
    ] = None,
    environment: Annotated[
        str | None,
        typer.Option(help="Run it in this environment. `current` is this machine's own. Default: the phase's."),
    ] = None,
    executed: Annotated[
        Path | None, typer.Option(help="Write a notebook with its outputs to this file, also if it fails.")
    ] = None,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Run a submission of yours again here, in the same environment and under the same limits, to see why it failed.

    The run that failed first on the platform comes first. The exit status is 1 if it fails here.
    """
    require_place(executed)
    client = open_client(url)
    there = client.get(f"/api/submissions/{submission}/replay")
    data = client.read(f"/api/submissions/{submission}/upload")
    here = _replayed(_Wish(there, data, benchmark, seeds, environment, executed))
    verdict = _verdict(there, here)
    if as_json:
        print_json({"there": there, "here": here, "verdict": verdict})
    else:
        _print(there, here, verdict)
    if here["state"] == "failed":
        raise typer.Exit(Ending.FAILED)


@dataclass(frozen=True, slots=True)
class _Wish:
    """What the server told, and the options of the command."""

    there: dict[str, Any]
    data: bytes
    benchmark: str | None
    seeds: int | None
    environment: str | None
    executed: Path | None

    @property
    def is_notebook(self) -> bool:
        return bool(self.there["kind"] == "notebook")


@dataclass(slots=True)
class _Replay:
    """One replay: where it runs, on what, and what it leaves."""

    settings: "Settings"
    wish: _Wish
    bundle: "Bundle"
    chosen: "EnvironmentRow | None"
    device: "Device"
    order: list[int]
    traces: "Traces"
    provenance: dict[str, str]

    def run(self) -> dict[str, Any]:
        """Run it; return the time and memory of a run. Raises RunFailed."""
        return self._notebook() if self.wish.is_notebook else self._module()

    def _module(self) -> dict[str, Any]:
        from services.core.environments import python_of
        from services.worker.local import local_worker
        from services.worker.supervisor import RunLimits

        told, filename = self.wish.there["limits"], self.wish.there["filename"]
        limits = RunLimits(told["seeds"], told["seed_timeout_s"], told["memory_bytes"], data_hidden=False)
        with local_worker(self.settings, self.device) as worker, progress() as bars:
            self.provenance = worker.provenance(self._place())
            task = bars.add_task(f"Running {filename}", total=len(self.order))
            run = worker.run(
                self.bundle,
                filename=filename,
                data=self.wish.data,
                limits=limits,
                place=self._place(),
                python=python_of(self.chosen),
                traces=self.traces,
                on_seed=lambda: bars.advance(task),
                order=self.order,
            )
        return {"run_s": run.run_s, "peak_memory_bytes": run.peak_memory_bytes}

    def _notebook(self) -> dict[str, Any]:
        from services.worker.local import run_notebook_locally
        from services.worker.notebooks import Mode, NotebookLimits

        told = self.wish.there["limits"]
        modes = {"rehearsal": Mode.REHEARSAL, "dry run": Mode.DRY}
        limits = NotebookLimits(
            seeds=len(self.order),
            timeout_s=told["notebook_timeout_s"],
            memory_bytes=told["memory_bytes"],
            data_hidden=False,
            mode=modes.get(self.wish.there["trial"], Mode.FULL),
            cuda_stand_in=told["cuda_stand_in"],
            take_first=told["take_first"],
        )
        _, self.provenance = run_notebook_locally(
            self.settings, self.bundle, data=self.wish.data, limits=limits, place=self._place(), traces=self.traces
        )
        return {"run_s": self.traces.run_s, "peak_memory_bytes": self.traces.peak_memory_bytes}

    def _place(self) -> "Place":
        from services.worker.environments import place_in
        from services.worker.station import OWN

        return place_in(self.chosen) if self.chosen else OWN


def _replayed(wish: _Wish) -> dict[str, Any]:
    from services.core.environments import default_for
    from services.core.settings import load_settings
    from services.core.submission.source import Rejected
    from services.worker.failures import RunFailed
    from services.worker.station import Traces

    settings = load_settings()
    chosen, bundle = _environment(settings, wish), _bundle(settings, wish)
    device = chosen.device if chosen else _device(wish.there)
    sandbox = {"sandbox": settings.resolved_sandbox.value}
    one = _Replay(settings, wish, bundle, chosen, device, _order(wish, bundle), Traces(), sandbox)
    started = time.monotonic()
    failure: dict[str, str] | None = None
    ran: dict[str, Any] = {}
    milestone(f"Running {wish.there['filename']}, at most {len(one.order)} runs")
    try:
        ran = one.run()
    except (RunFailed, Rejected) as failed:
        kind = failed.kind.value if isinstance(failed, RunFailed) else "rejected"
        failure = {"kind": kind, "message": failed.message}
    finally:
        if wish.executed is not None and one.traces.executed is not None:
            wish.executed.write_bytes(one.traces.executed)
    name = chosen.name if chosen else default_for(device)
    manifest = bundle.manifest
    here = Here(manifest.name, manifest.digest, name, device.value, len(one.order), one.provenance)
    return {
        "state": "failed" if failure else "ran",
        "failure": failure,
        "benchmark": {"name": here.benchmark, "digest": here.digest},
        "environment": here.environment,
        "provenance": one.provenance,
        "runs": here.runs,
        "wall_s": round(time.monotonic() - started, 3),
        "printed": one.traces.printed,
        "differences": differences(wish.there, here),
        **ran,
    }


def _environment(settings: "Settings", wish: _Wish) -> "EnvironmentRow | None":
    """Find the environment to run in; None for this machine's own."""
    from services.cli.environment import find_here
    from services.core.environments import CURRENT, CURRENT_CUDA

    name = wish.environment or wish.there["environment"]["name"]
    return None if name in (CURRENT, CURRENT_CUDA) else find_here(settings, name)


def _device(there: dict[str, Any]) -> "Device":
    """Choose the phase's device if this machine has it, otherwise the CPU."""
    from services.core.device import Device
    from services.worker.slots import find_gpus

    return Device.GPU if there["environment"]["device"] == Device.GPU.value and find_gpus() else Device.CPU


def _bundle(settings: "Settings", wish: _Wish) -> "Bundle":
    """Open or build a benchmark whose data are public here. Raises NotFound, which says how to get one."""
    from services.cli.building import find_or_build

    if wish.benchmark is not None:
        return find_or_build(settings, wish.benchmark)
    told = wish.there["benchmark"]
    try:
        return find_or_build(settings, told["definition"])
    except NotFound as missing:
        raise NotFound(
            f"The benchmark {told['definition']} is not on this machine, and it cannot be built without its dataset or "
            f"its definition. Build it with `lethe benchmark build {told['definition']}`, or name another with "
            "--benchmark, such as digits."
        ) from missing


def _order(wish: _Wish, bundle: "Bundle") -> list[int]:
    """List the indexes of the runs: the one that failed first on the platform comes first."""
    there, most = wish.there["limits"]["seeds"], bundle.manifest.oracle_seeds
    within = min(there, most) if bundle.manifest.learning else there  # each certified run has its own original
    failed = [wish.there["failed_run"] - 1] if wish.there["failed_run"] else []
    first = [one for one in failed if one < within]
    return [*first, *(one for one in range(within) if one not in first)][: wish.seeds]


def _verdict(there: dict[str, Any], here: dict[str, Any]) -> str:
    """Compare how it ended on both sides."""
    before, now = there["failure"], here["failure"]
    if before is None:
        return f"It fails here, and is {there['state']} on the platform." if now else "It runs here to its end."
    if now is None:
        return (
            f"It does not fail here in {here['runs']} runs. Look at the differences below: the cause may be the data, "
            "chance or the machine."
        )
    if before["kind"] == now["kind"]:
        return f"It fails here as on the platform: {now['kind']}."
    return f"It fails here in another way: {now['kind']} here, {before['kind']} on the platform."


def _print(there: dict[str, Any], here: dict[str, Any], verdict: str) -> None:
    if lines := here["printed"].splitlines()[-PRINTED_LINES:]:
        say("\n".join(["The runs printed, at the end:", *lines]))
    typer.echo(f"{there['name']}, {there['filename']}, in phase {there['phase']} of {there['competition']}")
    if there["failure"]:
        typer.echo(f"There: {there['failure']['kind']}: {there['failure']['message']}")
    if here["failure"]:
        typer.echo(f"Here:  {here['failure']['kind']}: {here['failure']['message'].rstrip()}")
    else:
        memory = f"{here['peak_memory_bytes'] / 1e6:,.0f} MB at most"
        typer.echo(f"Here:  {here['runs']} runs went well, {here['run_s']:.3f} s each, {memory}")
    typer.echo(verdict)
    typer.echo("What differs:")
    for one in here["differences"]:
        typer.echo(f"  {one['words']}")
