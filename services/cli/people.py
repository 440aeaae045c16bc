"""Commands about the people of a competition."""

from typing import Annotated

import typer

from services.cli.client import open_client
from services.cli.console import print_json, print_listed, say
from services.cli.participant import Json, Url

__all__ = ["Username", "people_app", "register"]

people_app = typer.Typer(no_args_is_help=True, help="Who runs, reviews and takes part in a competition.")

Slug = Annotated[str, typer.Argument(help="The competition's short name.")]
Username = Annotated[str, typer.Argument(help="The username of an account.")]
Usernames = Annotated[list[str], typer.Argument(help="The usernames of one or several accounts.")]


def register(
    competition: Slug,
    code: Annotated[str | None, typer.Option(help="The code of your invitation, if you need one.")] = None,
    accept_rules: Annotated[
        bool, typer.Option("--accept-rules", help="You have read the rules in force, and accept them.")
    ] = False,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Register for a competition. Without --accept-rules it prints the rules, if there are any to accept."""
    client = open_client(url)
    path = f"/api/competitions/{competition}/registration"
    found = client.get(path)
    version = found["rules_version"]
    if version is not None and found["accepted_version"] != version and not accept_rules:
        typer.echo(found["rules"])
        say("Read the rules above. If you accept them, run the command again with --accept-rules.")
        raise typer.Exit(1)
    found = client.post(path, {"code": code, "rules_version": version if accept_rules else None})
    if as_json:
        print_json(found)
    elif found["state"] == "waiting":
        say(f"You asked to take part in {competition}. Submit once an organiser has approved you.")
    else:
        say(f"You are registered for {competition}. Submit with `lethe submit`.")


@people_app.command("list")
def list_members(competition: Slug, url: Url = None, as_json: Json = False) -> None:
    """List who owns, runs and reviews a competition."""
    found = list(open_client(url).pages(f"/api/competitions/{competition}/members"))
    print_listed(found, ("username", "role", "since"), f"People of {competition}", as_json)


@people_app.command("add")
def add_member(
    competition: Slug,
    username: Username,
    role: Annotated[str, typer.Option(help="organiser, who runs it; or reviewer, who reads the same.")],
    url: Url = None,
) -> None:
    """Make somebody an organiser or a reviewer. For the owner."""
    open_client(url).post(f"/api/competitions/{competition}/members", {"username": username, "role": role})
    say(f"{username} is now a{'n' * role.startswith('o')} {role} of {competition}.")


@people_app.command("remove")
def remove_member(competition: Slug, username: Username, url: Url = None) -> None:
    """Take the role of an organiser or reviewer. For the owner."""
    open_client(url).delete(f"/api/competitions/{competition}/members/{username}")
    say(f"{username} has no role in {competition} any more.")


@people_app.command("leave")
def leave(competition: Slug, url: Url = None) -> None:
    """Give up your own role as an organiser or reviewer."""
    open_client(url).post(f"/api/competitions/{competition}/leave")
    say(f"You have no role in {competition} any more.")


@people_app.command("hand-over")
def hand_over(competition: Slug, username: Username, url: Url = None) -> None:
    """Make somebody else the owner; you become an organiser. For the owner."""
    open_client(url).post(f"/api/competitions/{competition}/owner", {"username": username})
    say(f"{username} owns {competition} now.")


@people_app.command("mode")
def change_mode(
    competition: Slug,
    mode: Annotated[str, typer.Argument(help="open, approval (by an organiser) or invitation (by a code).")],
    url: Url = None,
) -> None:
    """Change how people register. Whoever is registered stays so."""
    open_client(url).patch(f"/api/competitions/{competition}/registration", {"registration": mode})
    say(f"Registration for {competition}: {mode}.")


@people_app.command("registrations")
def list_registrations(
    competition: Slug,
    state: Annotated[str | None, typer.Option(help="Only those in this state: waiting, accepted or refused.")] = None,
    search: Annotated[str | None, typer.Option(help="Only usernames that begin with this text.")] = None,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """List who takes part in a competition, or asked to."""
    path = f"/api/competitions/{competition}/registrations"
    found = list(open_client(url).pages(path, state=state, search=search, limit=200))
    print_listed(found, ("username", "state", "created_at", "reason"), f"Registrations for {competition}", as_json)


@people_app.command("approve")
def approve(competition: Slug, usernames: Usernames, url: Url = None) -> None:
    """Let people take part who wait, or were refused."""
    open_client(url).post(f"/api/competitions/{competition}/registrations/approve", {"usernames": usernames})
    say(f"Approved: {', '.join(usernames)}.")


@people_app.command("refuse")
def refuse(
    competition: Slug,
    usernames: Usernames,
    reason: Annotated[str, typer.Option(help="Why; each of them sees it.")],
    url: Url = None,
) -> None:
    """Let people submit no more. What they submitted stays."""
    body = {"usernames": usernames, "reason": reason}
    open_client(url).post(f"/api/competitions/{competition}/registrations/refuse", body)
    say(f"Refused: {', '.join(usernames)}.")


@people_app.command("invite")
def invite(
    competition: Slug,
    name: Annotated[str, typer.Option(help="Whom the code is for; only organisers and reviewers see it.")],
    uses: Annotated[int, typer.Option(help="How many people it admits.")] = 1,
    expires_in_days: Annotated[int, typer.Option(help="For how many days it admits them.")] = 30,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Make a code that admits people, and print it this once."""
    body = {"name": name, "uses": uses, "expires_in_days": expires_in_days}
    made = open_client(url).post(f"/api/competitions/{competition}/invitations", body)
    if as_json:
        print_json(made)
        return
    typer.echo(made["code"])
    say(f"Take it back with `lethe competition people revoke {competition} {made['id']}`.")


@people_app.command("invitations")
def list_invitations(competition: Slug, url: Url = None, as_json: Json = False) -> None:
    """List the invitations to a competition, without their codes."""
    found = list(open_client(url).pages(f"/api/competitions/{competition}/invitations"))
    names = ("id", "name", "used", "uses", "expires_at", "revoked_at")
    print_listed(found, names, f"Invitations to {competition}", as_json, numbers=("used", "uses"))


@people_app.command("revoke")
def revoke(
    competition: Slug,
    invitation: Annotated[str, typer.Argument(help="The id that `lethe competition people invitations` prints.")],
    url: Url = None,
) -> None:
    """Let an invitation admit nobody more. Whom it admitted stays."""
    open_client(url).post(f"/api/competitions/{competition}/invitations/{invitation}/revoke")
    say("Revoked.")
