"""Commands of operators: set up, start everything, start one service."""

import json
import os
import secrets
import signal
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from services.cli.console import say
from services.cli.databases import migrated_database
from services.core.errors import BadInput

if TYPE_CHECKING:
    from services.core.settings import Settings
    from services.core.store.database import Database

__all__ = ["OPERATOR_FILE", "api", "migrate", "operator", "prepare", "scorer", "setup", "up", "worker"]

OPERATOR_FILE = "operator.json"
OPERATOR = "operator"


def setup(
    again: Annotated[bool, typer.Option("--again", help="Choose again, although a choice was made before.")] = False,
) -> None:
    """Choose the sandbox, once: Docker if an engine answers, otherwise plain processes. Build the sandbox image."""
    from services.core.settings import SandboxKind, load_settings

    settings = load_settings()
    if settings.sandbox is None or again:
        settings = _choose_sandbox(settings)
    if settings.resolved_sandbox is SandboxKind.DOCKER and not settings.sandbox_image:
        from services.worker.backends import default_image
        from services.worker.sandbox.image import build_image, image_exists

        if not image_exists(default_image()):
            say(f"Building the sandbox image {default_image()}: about 4 minutes and 1.6 GB, once.")
            build_image()
    say(f"Sandbox: {settings.resolved_sandbox}. Change it with `lethe setup --again`.")


def up() -> None:
    """Serve the platform: API, worker and scorer, until Ctrl-C."""
    from services.cli.stack import Stack
    from services.core.settings import load_settings

    settings = load_settings()
    prepare(settings)
    stopping = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopping.set())
    with Stack(settings) as stack:
        say(f"Lethe serves at {stack.url} (documentation at {stack.url}/docs).")
        say(
            f"Logs are in {settings.data_dir / 'logs'}; the operator's token is in {settings.data_dir / OPERATOR_FILE}."
        )
        say("Press Ctrl-C to stop.")
        while not stopping.wait(1.0):
            for part in stack.restart_dead():
                say(f"The {part} died and was restarted. See {stack.log_file(part)}.")
        say("Stopping. Running submissions go back to the queue and continue at the next start.")
    say("Stopped.")


def api() -> None:
    """Serve the REST API and the web app, without worker and scorer."""
    settings = _begin_service()
    from services.api.main import serve

    serve(settings)


def worker() -> None:
    """Run submissions: claim shards, run them in the sandbox, measure their models."""
    settings = _begin_service()
    from services.worker.consumer import run_worker

    run_worker(settings)


def scorer() -> None:
    """Score measured evaluations and move the leaderboard."""
    settings = _begin_service()
    from services.scorer.consumer import run_scorer

    run_scorer(settings)


def migrate() -> None:
    """Bring the database to the newest schema; in Postgres, give the services' roles their rights."""
    from services.core.settings import load_settings
    from services.core.store.database import Database
    from services.core.store.migrate import upgrade
    from services.core.store.roles import grant_roles

    settings = load_settings()
    settings.make_data_dir()
    database = Database(settings.resolved_database_url)
    upgrade(database)
    grant_roles(database, settings.role_passwords)
    database.dispose()
    say("The database has the newest schema.")


def operator(
    username: Annotated[str, typer.Argument(help="The name of the account and of its team.")] = OPERATOR,
) -> None:
    """Create an operator's account; print its password and a token, as JSON, this once."""
    from pydantic import TypeAdapter, ValidationError

    from services.api.accounts.schemas import Username
    from services.core.settings import load_settings

    try:
        TypeAdapter(Username).validate_python(username)
    except ValidationError as error:
        raise BadInput(f"{username!r} cannot be an account's name: {error.errors()[0]['msg']}.") from error
    settings = load_settings()
    with migrated_database(settings) as database:
        typer.echo(json.dumps(_make_operator(settings, database, username), indent=2))


def prepare(settings: "Settings") -> dict[str, str]:
    """Migrate, and create the operator's account and token on first use; return its credentials."""
    from services.core.store.database import Database
    from services.core.store.migrate import upgrade

    settings.make_data_dir()
    database = Database(settings.resolved_database_url)
    upgrade(database)
    path = settings.data_dir / OPERATOR_FILE
    if not path.exists():
        url = f"http://{settings.host}:{settings.port}"
        _write_private(path, json.dumps({"url": url, **_make_operator(settings, database, OPERATOR)}, indent=2))
    database.dispose()
    credentials: dict[str, str] = json.loads(path.read_text())
    return credentials


def _make_operator(settings: "Settings", database: "Database", username: str) -> dict[str, str]:
    from services.api.accounts.service import create_account, create_token
    from services.core.models import Role

    password = secrets.token_urlsafe(18)
    with database.write() as session:
        account = create_account(session, username, password, Role.OPERATOR)
        token = create_token(session, account, settings.key(), name="made with the account")
    return {"username": username, "password": password, "token": token}


def _choose_sandbox(settings: "Settings") -> "Settings":
    from services.cli.doctor import docker_answer
    from services.core.settings import ENV_FILE, SandboxKind, load_settings

    kind = SandboxKind.DOCKER if docker_answer() else SandboxKind.PROCESS
    if kind is SandboxKind.PROCESS:
        say("No Docker engine answers. Submissions will run as plain processes, which isolate nothing:")
        say("only the operator may submit, and sign-up is closed. See `lethe doctor`.")
    path = settings.make_data_dir() / ENV_FILE
    kept = path.read_text().splitlines() if path.exists() else []
    lines = [line for line in kept if not line.startswith("LETHE_SANDBOX=")]
    path.write_text("\n".join([*lines, f"LETHE_SANDBOX={kind}"]) + "\n")
    return load_settings()


def _write_private(path: Path, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text + "\n")


def _begin_service() -> "Settings":
    """Prepare this process to serve, on a database that it knows. Raises OtherSchema or DatabaseUnreachable."""
    from services.cli.stack import end_with_parent
    from services.core.logs import configure_logs
    from services.core.settings import load_settings

    end_with_parent()
    configure_logs()
    settings = load_settings()
    with migrated_database(settings):
        return settings
