"""Commands of receipts: get one, and check one without a server."""

import json
from pathlib import Path
from typing import Annotated

import typer

from services.cli.client import open_client
from services.cli.console import print_json, say
from services.cli.moments import moment
from services.cli.participant import Json, Url
from services.core.errors import BadInput

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True, help="Get the signed statement of a score, and check one offline.")


@app.command("get")
def get(
    submission: Annotated[str, typer.Argument(help="The id of a scored submission.")],
    file: Annotated[Path, typer.Argument(help="The file to write.")],
    url: Url = None,
) -> None:
    """Write the receipt of a submission's score to a file."""
    file.write_text(json.dumps(open_client(url).get(f"/api/submissions/{submission}/receipt"), indent=2) + "\n")
    say(f"Wrote {file}. Check it with `lethe receipt verify`.")


@app.command("verify")
def verify(
    file: Annotated[Path, typer.Argument(help="A receipt.")],
    key: Annotated[
        str | None, typer.Option(help="The installation's public key, as `GET /api/receipts/key` shows it.")
    ] = None,
    measurements: Annotated[
        Path | None, typer.Option(help="Also check that these measurements are those of the receipt.")
    ] = None,
    robustness: Annotated[
        Path | None, typer.Option(help="Also check that these readings under stress are those of the receipt.")
    ] = None,
    placebo: Annotated[
        Path | None, typer.Option(help="Also check that these readings of placebo runs are those of the receipt.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Check that a receipt was signed as it is. It needs no server. The exit status is 1 if it was not."""
    from services.core.record.receipts import check_readings, check_receipt

    receipt = check_receipt(file.read_bytes(), key)
    for name, readings in (("measurements", measurements), ("robustness", robustness), ("placebo", placebo)):
        if readings is not None:
            check_readings(receipt["statement"], name, _read(readings))
    if as_json:
        print_json(receipt)
        return
    stated = receipt["statement"]
    if "figures" not in stated:
        raise BadInput("It is signed, but states no score. The seal of an archive is for `lethe competition verify`.")
    figures = stated["figures"]
    typer.echo(f"{stated['team']}, submission {stated['submission']} to {stated['competition']}, {stated['phase']}")
    typer.echo(
        f"{figures['metric']}: {figures['final_score']:.4f}, N = {figures['seeds']}, {moment(stated['scored_at'])}"
    )
    typer.echo(_program(stated.get("program")))
    typer.echo(f"signed by {receipt['public_key']}")
    if key is None:
        say("The signature holds. Compare the key with that of the installation, or give it with --key.")


def _program(stated: dict[str, str] | None) -> str:
    """Say which program computed a score."""
    from services.core.distribution import program

    if stated is None:
        return "scored by a program that the receipt does not name: it is older than that"
    here = " (this installation's program)" if stated == program() else ""
    return f"scored by Lethe {stated.get('version')}, sources {stated.get('sources_sha256')}{here}"


def _read(readings: Path) -> bytes:
    if not readings.is_file():
        raise BadInput(f"There is no file {readings}.")
    return readings.read_bytes()
