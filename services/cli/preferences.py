"""`lethe account preferences`: what somebody is told of, and by which way; who sees them in teams."""

from typing import Annotated, Any

import typer

from services.cli.client import open_client
from services.cli.console import print_json, print_table, say
from services.cli.participant import Json, Url

__all__ = ["preferences"]

Kinds = list[str] | None


def preferences(
    notice: Annotated[Kinds, typer.Option(help="Tell me of this kind in the web app. Repeatable.")] = None,
    no_notice: Annotated[Kinds, typer.Option(help="Do not tell me of this kind in the web app. Repeatable.")] = None,
    mail: Annotated[Kinds, typer.Option(help="Send me mail of this kind. Repeatable.")] = None,
    no_mail: Annotated[Kinds, typer.Option(help="Send me no mail of this kind. Repeatable.")] = None,
    mails: Annotated[bool | None, typer.Option(help="Send me mail about my competitions, or none.")] = None,
    shown_in_teams: Annotated[
        bool | None, typer.Option(help="Let strangers see my username and profile on pages of my teams, or not.")
    ] = None,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Show and change what you are told of, and how. Kinds are those that it lists, such as submission.scored."""
    client = open_client(url)
    found = client.get("/api/me")["preferences"]
    change: dict[str, Any] = {
        "notice_kinds": _changed(found["notice_kinds"], notice, no_notice),
        "mail_kinds": _changed(found["mail_kinds"], mail, no_mail),
        "mail_wanted": mails,
        "shown_in_teams": shown_in_teams,
    }
    wanted = {name: value for name, value in change.items() if value is not None}
    if wanted:
        found = client.patch("/api/me", wanted)["preferences"]
    if as_json:
        print_json(found)
        return
    ways = ("notice_kinds", "mail_kinds")
    rows = [(kind, *("yes" if kind in found[way] else "" for way in ways)) for kind in found["kinds"]]
    print_table(("kind", "in Notices", "by mail"), rows, title="", words={"kind"})
    say("You want mail about your competitions." if found["mail_wanted"] else "You want no mail about competitions.")
    say(f"Strangers {'see' if found['shown_in_teams'] else 'do not see'} who you are on pages of your teams.")


def _changed(kinds: list[str], more: Kinds, fewer: Kinds) -> list[str] | None:
    """Return the new list of kinds; None if nothing is to change."""
    if not more and not fewer:
        return None
    return [one for one in dict.fromkeys([*kinds, *(more or [])]) if one not in (fewer or [])]
