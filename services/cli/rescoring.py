"""`lethe rescore`: a phase's leaderboard by another metric or from new runs; previewed, published at once, undone."""

import math
import time
from typing import Annotated, Any

import typer

from services.cli.client import Client, open_client
from services.cli.console import milestone, print_json, print_table, progress, say
from services.cli.participant import Competition, Json, Phase, Url
from services.core.catalogue import metric_names
from services.core.errors import BadInput

__all__ = ["rescore"]

POLL_S = 0.5
PREVIEW_WITHIN_S = 120.0
OPEN = ("preparing", "ready", "publishing")
MOVES_WITHIN_S = 60.0  # after which it is said what a move of the leaderboard may wait for


def rescore(
    competition: Competition,
    phase: Phase,
    metric: Annotated[str | None, typer.Option(help=f"The metric to rank by: {metric_names()}.")] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only prepare it and show who would move. The default.")
    ] = False,
    publish: Annotated[
        bool, typer.Option("--publish", help="Publish the rescored leaderboard, all of it at once.")
    ] = False,
    undo: Annotated[bool, typer.Option("--undo", help="Take back the newest published rescoring.")] = False,
    re_run: Annotated[
        bool, typer.Option("--re-run", help="Re-run every entry on the leaderboard; the new runs count.")
    ] = False,
    cancel: Annotated[bool, typer.Option("--cancel", help="Discard the rescoring that is not published.")] = False,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Rescore a phase by another metric, or from new runs. For organisers.

    Without --publish nothing on the leaderboard moves: the rescoring is prepared and shown. The same command with
    --publish publishes it. Scores are added and never changed, so --undo puts every entry back. Every act is recorded.
    """
    if dry_run + publish + undo + cancel > 1:
        raise BadInput("Choose one of --dry-run, --publish, --undo and --cancel.")
    client, base = open_client(url), f"/api/competitions/{competition}/phases/{phase}"
    if undo:
        campaign = client.post(f"{base}/undo")
        campaign = _moved(client, base, campaign)
        say(f"Undone: the leaderboard ranks by {campaign['metric_before']} as before.")
    else:
        campaign = _open_campaign(client, base)
        if cancel:
            if campaign is None:
                raise BadInput("There is no rescoring of this phase to cancel.")
            campaign = client.post(f"{base}/campaigns/{campaign['id']}/cancel")
            say("Cancelled.")
        else:
            campaign = _prepare(client, base, campaign, metric=metric, re_run=re_run)
            if publish:
                if campaign["state"] == "ready":
                    campaign = client.post(f"{base}/campaigns/{campaign['id']}/publish")
                campaign = _moved(client, base, campaign)
    shown = _preview(client, f"{base}/campaigns/{campaign['id']}")
    if as_json:
        print_json(shown)
        return
    if not cancel:
        _print(shown)
    if shown["state"] == "ready":
        say("Nothing has moved. Publish the rescoring with --publish, or discard it with --cancel.")
    elif publish:
        say(f"Published: the leaderboard ranks by {shown['metric']}. Take it back with --undo.")


def _open_campaign(client: Client, base: str) -> dict[str, Any] | None:
    newest = _newest(client, base)
    return newest if newest and newest["state"] in OPEN else None


def _newest(client: Client, base: str) -> dict[str, Any] | None:
    """Fetch the newest rescoring, without its moves."""
    items: list[dict[str, Any]] = client.get(f"{base}/campaigns", limit=1)["items"]
    return items[0] if items else None


def _prepare(
    client: Client, base: str, campaign: dict[str, Any] | None, *, metric: str | None, re_run: bool
) -> dict[str, Any]:
    """Continue the rescoring in progress, or start one; wait until it is ready."""
    if campaign is None:
        if metric is None:
            raise BadInput(f"Name the metric to rank by with --metric: {metric_names()}.")
        campaign = client.post(f"{base}/campaigns", {"metric": metric, "re_run": re_run})
    elif (metric and (metric, re_run) != _options(campaign)) or (re_run and not campaign["re_run"]):
        named, again = _options(campaign)
        raise BadInput(
            "A different rescoring is already in progress "
            f"(--metric {named}{' --re-run' if again else ', no --re-run'}). Repeat those options to continue it, "
            "or run with --cancel to discard it."
        )
    milestone(f"Preparing: {campaign['done']} of {campaign['total']} evaluations are scored by {campaign['metric']}.")
    with progress() as bars:
        task = bars.add_task("Scoring", total=campaign["total"], completed=campaign["done"])
        while campaign["state"] == "preparing":
            time.sleep(POLL_S)
            newest = _newest(client, base)
            if newest is None or newest["id"] != campaign["id"]:
                raise BadInput(
                    "Somebody cancelled this rescoring and began another one. Run the command again to see it."
                )
            campaign = newest
            bars.update(task, completed=campaign["done"], total=campaign["total"])
    if campaign["state"] not in ("ready", "publishing"):
        raise BadInput(f"Somebody else ended this rescoring: it is {campaign['state']}.")
    return campaign


def _moved(client: Client, base: str, campaign: dict[str, Any]) -> dict[str, Any]:
    """Wait until the leaderboard has moved, which is seconds, unless a submission is still to be scored."""
    path, told_at = f"{base}/campaigns/{campaign['id']}", time.monotonic() + MOVES_WITHIN_S
    while campaign["state"] in ("publishing", "undoing"):
        if time.monotonic() > told_at:
            told_at = math.inf
            say("The leaderboard has not moved yet: it waits for submissions that are being scored, or for the scorer.")
            say("Check with `lethe doctor` that the scorer runs. You can stop this command: nothing is lost.")
        time.sleep(POLL_S)
        campaign = client.get(path)
    return campaign


def _preview(client: Client, path: str) -> dict[str, Any]:
    """Fetch a rescoring with its moves, as soon as its preview is computed: seconds after all scores are there."""
    shown: dict[str, Any] = client.get(path)
    give_up_at = time.monotonic() + PREVIEW_WITHIN_S
    while shown["preview"] is None and shown["state"] in ("ready", "publishing", "published"):
        if time.monotonic() > give_up_at:
            say("The preview is not computed yet. Check with `lethe doctor` that the scorer runs, then run this again.")
            break
        time.sleep(POLL_S)
        shown = client.get(path)
    return shown | {"moves": list(client.pages(f"{path}/moves"))}


def _options(campaign: dict[str, Any]) -> tuple[str, bool]:
    """Return the metric of a rescoring, and whether it re-runs entries: the options that name it."""
    return campaign["metric"], campaign["re_run"]


def _print(campaign: dict[str, Any]) -> None:
    runs = ", from new runs" if campaign["re_run"] else ""
    title = f"{campaign['metric_before']} to {campaign['metric']}{runs}: {campaign['state']}"
    print_table(
        ("rank", "before", "moves", "team", "score", "95% interval", "score before", "beyond noise", "note"),
        [_row(move) for move in campaign["moves"]],
        title=title,
        words={"team", "beyond noise", "note"},
    )
    for one in campaign["unscorable"]:
        say(f"No score by {campaign['metric']}: {one['team']}, {one['submission']}. {one['reason']}")


def _row(move: dict[str, Any]) -> list[str]:
    before, after, up = move["before"], move["after"], move["ranks_up"]
    reference = "" if move["reference"] == "none" else " (reference)"
    return [
        _rank(after),
        _rank(before),
        "" if not up else f"{up:+d}",
        f"{move['team']}{reference}",
        f"{after['final_score']:.4f}" if after else "",
        f"{after['ci_low']:.4f} – {after['ci_high']:.4f}" if after else "",
        f"{before['final_score']:.4f}" if before else "",
        "yes" if move["separated"] else "no" if up else "",
        "re-run failed, the previous score counts" if move["re_run_failed"] else "",
    ]


def _rank(place: dict[str, Any] | None) -> str:
    return "" if place is None else "–" if place["rank"] is None else str(place["rank"])
