"""`lethe stability`, and the metric card of a benchmark that is here."""

import time
from typing import TYPE_CHECKING, Annotated, Any

import typer

from services.cli.client import Client, open_client
from services.cli.console import milestone, print_json, print_table, progress, say
from services.cli.moments import moment
from services.cli.participant import Competition, Json, Phase, Url
from services.core.catalogue import find_column
from services.core.errors import BadInput

if TYPE_CHECKING:
    from services.core.bundle.directory import Bundle

__all__ = ["compute_card", "print_card", "stability"]

POLL_S = 2.0
MOST_PAIRS = 12


def stability(
    competition: Competition,
    phase: Phase,
    anew: Annotated[
        bool, typer.Option("--anew", help="Have it computed of the newest leaderboard, and wait. For organisers.")
    ] = False,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Show how stable the order of a leaderboard is, and how each number behaves if the truth is known.

    Orders: Kendall's tau between the order of all runs and that of fewer runs, other bins, other numbers. Numbers: how
    often retrained models, which forgot everything, lie beyond a number's limits, and how often models do that kept a
    known share of what the original knows. The server computes it while no score waits, which takes minutes. If you
    stop this command, the computation goes on.
    """
    client, path = open_client(url), f"/api/competitions/{competition}/phases/{phase}/reliability"
    if anew:
        client.post(path)
        _wait(client, path)
    shown = client.get(path)
    if as_json:
        print_json(shown)
        return
    if shown["problem"] is not None:
        say(f"The last computation failed: {shown['problem']}")
    if shown["found"] is None:
        raise BadInput("Nobody has had it computed yet. An organiser does that with --anew.")
    _print(shown["found"], shown["made_at"])


def _wait(client: Client, path: str) -> None:
    milestone("Waiting for the server. It computes this while no score waits.")
    with progress() as bars:
        task = bars.add_task("Computing", total=None)
        while (shown := client.get(path))["under_way"]:
            bars.update(task, completed=shown["done"], total=shown["total"] or None)
            time.sleep(POLL_S)


def _print(found: dict[str, Any], made_at: str) -> None:
    of = f"the best {found['entries']} entries by {found['metric']}, {found['models']} runs each"
    say(f"Of {of}, as of {moment(made_at)}.")
    if found["orders"]:
        print_table(
            ("order by", "runs", "bins", "tau", "95% interval", "same leader"),
            map(_order, found["orders"]),
            title="How well fewer runs and other bins give the order",
            words={"order by"},
        )
    _print_pairs(found)
    card = found["card"]
    if card is None:
        say("The benchmark has too few retrained models for a metric card.")
    else:
        print_card(card)


def compute_card(bundle: "Bundle", *, models: int, draws: int) -> dict[str, Any]:
    """Compute the metric card of a benchmark, with a bar. Raises BadInput if it has too few retrained models."""
    from services.scorer.reliability.card import LEAST_MODELS, card_steps, metric_card
    from services.scorer.scoring import gather

    milestone(f"Reading {card_steps(draws)} sets of models, a second or two each.")
    steps, card = metric_card(gather(bundle.oracle(), bundle), models=models, draws=draws), None
    with progress() as bars:
        task = bars.add_task("Reading", total=card_steps(draws))
        while True:
            try:
                next(steps)
            except StopIteration as ended:
                card = ended.value
                break
            bars.advance(task)
    if card is None:
        raise BadInput(
            f"A metric card needs {3 * LEAST_MODELS} retrained models, because they play three sides; both oracles of "
            "this benchmark have fewer. Build it with more --seeds."
        )
    shown: dict[str, Any] = card.model_dump(mode="json")
    return shown


def print_card(card: dict[str, Any]) -> None:
    """Print a metric card."""
    kept = [f"{share:g}" for share in card["planted"]]
    print_table(
        ("number", "from", "to", "false alarms", *(f"found at {100 * float(share):g}%" for share in kept)),
        [_column(one, kept) for one in card["columns"]],
        title=f"Each number, on {card['draws']} draws of {card['models']} models: "
        "limits of retrained models, and how often models are found that kept a share of what the original knows",
        words={"number"},
    )
    if card["alarms"]:
        print_table(
            ("alarm", "false alarms", *(f"found at {100 * float(share):g}%" for share in kept)),
            [[one["kind"], *_shares(one, kept)] for one in card["alarms"]],
            title="Each alarm, likewise",
            words={"alarm"},
        )


def _print_pairs(found: dict[str, Any]) -> None:
    """Print the numbers that agree least with the metric that the leaderboard ranks by."""
    metric = found["metric"]
    pairs = [one for one in found["pairs"] if metric in (one["first"], one["second"])]
    if not pairs:
        say("Fewer than 6 entries have the same numbers, which is too few to compare orders.")
        return
    print_table(
        ("number", "entries", "tau", "95% interval"),
        [
            [
                _title(one["second"] if one["first"] == metric else one["first"]),
                str(one["entries"]),
                *_tau(one["tau"]),
            ]
            for one in sorted(pairs, key=lambda one: one["tau"]["value"])[:MOST_PAIRS]
        ],
        title=f"The numbers that agree least with the order by {metric}",
        words={"number"},
    )


def _order(one: dict[str, Any]) -> list[str]:
    leader = one["leader_stays"]
    return [
        one["metric"],
        str(one["models"]),
        "" if one["bins"] is None else f"{one['bins']:g}" if one["bins"] else "none",
        *_tau(one["tau"]),
        "" if leader is None else f"{100 * leader['value']:.0f}%",
    ]


def _tau(tau: dict[str, Any] | None) -> tuple[str, str]:
    return ("", "") if tau is None else (f"{tau['value']:.2f}", f"{tau['low']:.2f} – {tau['high']:.2f}")


def _column(one: dict[str, Any], kept: list[str]) -> list[str]:
    name = one["name"] if one["suite"] is None else f"{one['suite']}/{one['name']}"
    low, high = ("" if one[end] is None else f"{one[end]:.4g}" for end in ("low", "high"))
    return [_title(name), low, high, *_shares(one, kept)]


def _shares(one: dict[str, Any], kept: list[str]) -> list[str]:
    return [f"{100 * share['value']:.0f}%" for share in (one["false_alarms"], *(one["power"][share] for share in kept))]


def _title(number: str) -> str:
    suite, _, name = number.rpartition("/")
    column = find_column(suite, name) if suite else None
    return number if column is None else f"{suite}: {column.title}"
