"""`lethe environment …`: what code finds in the sandbox."""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from services.cli.client import open_client
from services.cli.console import print_json, print_table, say
from services.cli.participant import Json, Url
from services.core.device import Device
from services.core.errors import BadInput

if TYPE_CHECKING:
    from services.core.models import EnvironmentRow
    from services.core.settings import Settings

__all__ = ["app", "find_here"]

app = typer.Typer(
    no_args_is_help=True, help="List, show, add, remove and enter the environments in which submissions run."
)

SLUG = "[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
Name = Annotated[str, typer.Argument(help="An environment's name; `lethe environment list` shows them.")]


@app.command("list")
def list_environments(url: Url = None, as_json: Json = False) -> None:
    """List the environments that phases can name."""
    found = list(open_client(url).pages("/api/environments"))
    if as_json:
        print_json(found)
        return
    rows = [
        [one["name"], one["device"], one["python"], one["packages"].get("torch", ""), f"{one['size_bytes'] / 1e9:.1f}"]
        for one in found
    ]
    print_table(("environment", "device", "Python", "torch", "GB"), rows, title="", words={"environment", "device"})


@app.command()
def show(name: Name, url: Url = None, as_json: Json = False) -> None:
    """Show the packages of an environment, its image, and the result of its self-test."""
    found: dict[str, Any] = open_client(url).get(f"/api/environments/{name}")
    if as_json:
        print_json(found)
        return
    for label in ("name", "device", "python", "image", "digest", "self_test", "checked_at"):
        typer.echo(f"{label.replace('_', ' '):<12}{found[label]}")
    for package, version in found["packages"].items():
        typer.echo(f"  {package}=={version}")


@app.command()
def add(
    name: Annotated[str, typer.Argument(help="Its name: lower-case letters, digits, inner hyphens.")],
    image: Annotated[str, typer.Argument(help="An image of this machine's Docker engine, or kaggle-2023 for ours.")],
    device: Annotated[Device, typer.Option(help="The device of the phases that may use it.")] = Device.CPU,
) -> None:
    """Check an image and let phases use it.

    Run it on a worker's machine. The check attacks the sandbox in this image and lists the packages. Other workers
    serve the environment once their engines have the same image.
    """
    from services.core import environments
    from services.core.settings import load_settings
    from services.core.store.database import Database

    if not re.fullmatch(SLUG, name) or name in (environments.CURRENT, environments.CURRENT_CUDA):
        raise BadInput(f"{name!r} cannot name an environment. Use lower-case letters, digits and hyphens between them.")
    settings = load_settings()
    row = _checked(settings, name, _built(image), device)
    database = Database(settings.resolved_database_url)
    with database.write() as session:
        environments.keep(session, row)
    database.dispose()
    say(f"Phases can use {name}: Python {row.python}, torch {row.packages.get('torch', 'of no known version')}.")


@app.command()
def remove(name: Name) -> None:
    """Take an environment off the list. It must have no phase."""
    from services.core import environments
    from services.core.settings import load_settings
    from services.core.store.database import Database

    database = Database(load_settings().resolved_database_url)
    with database.write() as session:
        environments.remove(session, name)
    database.dispose()
    say(f"Removed {name}. Its image stays in the engine.")


@app.command()
def run(
    image: Annotated[
        str, typer.Argument(help="An image, or a built-in environment: current, kaggle-2023.")
    ] = "current",
    memory_gib: Annotated[float, typer.Option(help="The memory of the container, in GiB.")] = 2.0,
) -> None:
    """Open a shell in an image under the sandbox's limits: no network, a read-only root, an unprivileged user.

    Your own files are not in it: paste code, or pipe a script into it.
    """
    import subprocess
    import sys
    import tempfile

    from services.worker.sandbox.profile import seccomp_profile

    chosen = _built(image)
    limits = ["--memory", f"{memory_gib}g", "--memory-swap", f"{memory_gib}g", "--cpus", "1", "--pids-limit", "256"]
    closed = ["--network", "none", "--read-only", "--user", "65534:65534", "--cap-drop", "ALL"]
    scratch = ["--tmpfs", "/tmp:size=256m,mode=1777,nosuid,nodev", "--shm-size", "256m"]  # noqa: S108 - in the container
    terminal = ["-it"] if sys.stdin.isatty() else ["-i"]
    with tempfile.NamedTemporaryFile("w", suffix=".json") as profile:
        profile.write(seccomp_profile(launcher=False, loopback=False, gpu=False))
        profile.flush()
        options = ["--security-opt", "no-new-privileges", "--security-opt", f"seccomp={profile.name}"]
        command = ["docker", "run", "--rm", *terminal, *limits, *closed, *options, *scratch, chosen, "bash"]
        raise typer.Exit(subprocess.run(command, check=False).returncode)


def find_here(settings: "Settings", name: str) -> "EnvironmentRow":
    """Find an environment for runs on this machine: one that was added here, or one of ours, built if need be.

    Raises NeedsDocker, UnknownEnvironment and SandboxUnavailable.
    """
    from services.core.environments import CURRENT, CURRENT_CUDA, UnknownEnvironment
    from services.worker.backends import BUILT_IN, require_docker
    from services.worker.sandbox.base import SandboxUnavailable
    from services.worker.sandbox.image import image_exists

    require_docker(settings)
    added = _added(settings)
    if (row := added.get(name)) is not None:
        if not image_exists(row.digest):
            raise SandboxUnavailable(f"This machine's engine lacks the image of {name!r}. Fetch {row.image}.")
        return row
    if name not in BUILT_IN:
        raise UnknownEnvironment(
            f"There is no environment {name!r} here. There are {', '.join({**BUILT_IN, **added})}."
        )
    device = Device.GPU if name == CURRENT_CUDA else Device.CPU
    own = settings.sandbox_image if name in (CURRENT, CURRENT_CUDA) else ""
    return _examined(settings, name, own or _built(name), device)


def _added(settings: "Settings") -> "dict[str, EnvironmentRow]":
    """Return what was added to this installation, by name; nothing on a machine without an installation."""
    from sqlalchemy import make_url

    from services.cli.databases import migrated_database
    from services.core import environments

    url = make_url(settings.resolved_database_url)
    if url.get_backend_name() == "sqlite" and not Path(url.database or "").exists():
        return {}
    with migrated_database(settings) as database, database.read() as session:
        rows = environments.all_environments(session)
    return {row.name: row for row in rows if row.name not in (environments.CURRENT, environments.CURRENT_CUDA)}


def _built(image: str) -> str:
    """Return the image of a built-in environment, built if need be; any other image as it is."""
    from services.worker.backends import BUILT_IN, image_of
    from services.worker.sandbox.image import build_image, image_exists

    if image not in BUILT_IN:
        return image
    if not image_exists(image_of(image)):
        build_image(image)
    return image_of(image)


def _checked(settings: "Settings", name: str, image: str, device: Device) -> "EnvironmentRow":
    """Run the short conformance check in the image: the self-test's attacks and the list of packages."""
    from services.worker.backends import require_docker

    require_docker(settings)
    say(f"Checking {image}: some seconds.")
    return _examined(settings, name, image, device, attacked=True)


def _examined(
    settings: "Settings", name: str, image: str, device: Device, *, attacked: bool = False
) -> "EnvironmentRow":
    """List what an image holds, after the self-test's attacks if asked for."""
    from contextlib import closing

    from services.worker.backends import make_sandbox
    from services.worker.environments import examine
    from services.worker.selftest import try_sandbox
    from services.worker.slots import make_slots, stage_code
    from services.worker.workplace import workplace

    chosen = settings.model_copy(update={"sandbox_image": image, "worker_slots": 1, "gpus_only": device is Device.GPU})
    with (
        workplace(settings.make_data_dir(), "environment") as work,
        closing(make_sandbox(chosen, work, stage_code(work))) as sandbox,
    ):
        (slot, *_) = make_slots(chosen, work)
        if attacked:
            try_sandbox(sandbox, slot)
        return examine(sandbox, slot, name=name, device=device)
